// What the bindings of _bindings.h share. Compiled once for a torch and a set of flags.
#include <torch/csrc/Exceptions.h>
#include <torch/csrc/autograd/python_variable.h>

#include "_bindings.h"

namespace kernelopt {

// C++ errors become torch's Python errors, and warnings Python's, as with torch::wrap_pybind_function.
PyObject* guarded(const Call& call) {
  HANDLE_TH_ERRORS
  return call.body(call.args);
  END_HANDLE_TH_ERRORS
}

bool unpack(PyObject* object, at::Tensor& value) {
  if (!THPVariable_Check(object)) return false;
  value = THPVariable_Unpack(object);
  return true;
}

PyObject* wrap(const at::Tensor& value) { return THPVariable_Wrap(value); }

}  // namespace kernelopt
