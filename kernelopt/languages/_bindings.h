// Bindings of plain functions without pybind11, whose templates cost every build of an extension four
// seconds: what `load_inline(functions=[...])` promises, and errors in the same words. Conversions that are
// not here end in a compiler error that names torch; the build is then repeated with pybind11.
#ifndef KERNELOPT_BINDINGS
#define KERNELOPT_BINDINGS
#include <Python.h>

// What torch/extension.h brings along, and sources therefore forget to include.
#include <cxxabi.h>
#include <forward_list>
#include <ranges>
#include <span>
#include <stack>
#include <valarray>

#include <optional>
#include <queue>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/library.h>
#include <torch/types.h>

namespace kernelopt {

// In _bindings.cpp, which is compiled once.
struct Call {
  PyObject* (*body)(PyObject* const*);
  PyObject* const* args;
};
PyObject* guarded(const Call& call);
bool unpack(PyObject* object, at::Tensor& value);
PyObject* wrap(const at::Tensor& value);

template <class T>
constexpr bool unknown = false;

template <class T, class = void>
struct From {
  static_assert(unknown<T>, "at::bindings: this type of argument is left to pybind11");
};

template <>
struct From<at::Tensor> {
  static std::string wanted() { return "torch.Tensor"; }
  at::Tensor value;
  bool load(PyObject* object) { return unpack(object, value); }
};

template <>
struct From<bool> {
  static std::string wanted() { return "bool"; }
  bool value = false;
  bool load(PyObject* object) {
    const int truth = PyObject_IsTrue(object);
    PyErr_Clear();
    value = truth == 1;
    const auto* number = Py_TYPE(object)->tp_as_number;
    return truth >= 0 && (object == Py_None || (number != nullptr && number->nb_bool != nullptr));
  }
};

template <class T>
struct From<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, char>>> {
  static std::string wanted() { return "int"; }
  T value = 0;
  bool load(PyObject* object) {
    if (PyFloat_Check(object)) return false;
    PyObject* number = PyNumber_Index(object);
    if (number == nullptr) {
      PyErr_Clear();
      number = PyNumber_Check(object) ? PyNumber_Long(object) : nullptr;
    }
    const bool loaded = number != nullptr && read(number);
    Py_XDECREF(number);
    PyErr_Clear();
    return loaded;
  }
  bool read(PyObject* number) {
    if constexpr (std::is_unsigned_v<T>) {
      const unsigned long long wide = PyLong_AsUnsignedLongLong(number);
      value = static_cast<T>(wide);
      return !PyErr_Occurred() && value == wide;
    } else {
      const long long wide = PyLong_AsLongLong(number);
      value = static_cast<T>(wide);
      return !PyErr_Occurred() && value == wide;
    }
  }
};

template <class T>
struct From<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static std::string wanted() { return "float"; }
  T value = 0;
  bool load(PyObject* object) {
    value = static_cast<T>(PyFloat_AsDouble(object));
    const bool loaded = !PyErr_Occurred();
    PyErr_Clear();
    return loaded;
  }
};

template <>
struct From<std::string> {
  static std::string wanted() { return "str"; }
  std::string value;
  bool load(PyObject* object) {
    Py_ssize_t size = 0;
    const char* text = PyUnicode_Check(object) ? PyUnicode_AsUTF8AndSize(object, &size) : nullptr;
    PyErr_Clear();
    if (text != nullptr) value.assign(text, static_cast<size_t>(size));
    return text != nullptr;
  }
};

template <class T>
struct From<std::optional<T>> {
  static std::string wanted() { return From<T>::wanted() + " or None"; }
  std::optional<T> value;
  bool load(PyObject* object) {
    if (object == Py_None) return true;
    From<T> inner;
    if (!inner.load(object)) return false;
    value = std::move(inner.value);
    return true;
  }
};

template <class T>
struct From<std::vector<T>> {
  static std::string wanted() { return "a sequence of " + From<T>::wanted(); }
  std::vector<T> value;
  bool load(PyObject* object) {
    if (!PySequence_Check(object) || PyUnicode_Check(object) || PyBytes_Check(object)) return false;
    PyObject* items = PySequence_Fast(object, "not a sequence");
    bool loaded = items != nullptr;
    const Py_ssize_t size = loaded ? PySequence_Fast_GET_SIZE(items) : 0;
    for (Py_ssize_t at = 0; loaded && at < size; ++at) {
      From<T> item;
      loaded = item.load(PySequence_Fast_GET_ITEM(items, at));
      if (loaded) value.push_back(std::move(item.value));
    }
    Py_XDECREF(items);
    PyErr_Clear();
    return loaded;
  }
};

template <class T>
struct From<c10::ArrayRef<T>> {
  static std::string wanted() { return From<std::vector<T>>::wanted(); }
  From<std::vector<T>> held;
  c10::ArrayRef<T> value;
  bool load(PyObject* object) {
    const bool loaded = held.load(object);
    value = held.value;
    return loaded;
  }
};

inline PyObject* to(const at::Tensor& value) { return wrap(value); }
inline PyObject* to(bool value) { return PyBool_FromLong(value); }
inline PyObject* to(const std::string& value) {
  return PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), nullptr);
}
template <class T>
std::enable_if_t<std::is_floating_point_v<T>, PyObject*> to(T value) {
  return PyFloat_FromDouble(value);
}
template <class T>
std::enable_if_t<std::is_integral_v<T>, PyObject*> to(T value) {
  if constexpr (std::is_unsigned_v<T>) return PyLong_FromUnsignedLongLong(value);
  return PyLong_FromLongLong(static_cast<long long>(value));
}
template <class T>
PyObject* to(const std::optional<T>& value) {
  return value ? to(*value) : Py_NewRef(Py_None);
}
template <class T>
PyObject* to(const std::vector<T>& value) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(value.size()));
  for (size_t at = 0; list != nullptr && at < value.size(); ++at) {
    PyObject* item = to(static_cast<const T&>(value[at]));
    if (item == nullptr) Py_CLEAR(list);
    else PyList_SET_ITEM(list, static_cast<Py_ssize_t>(at), item);
  }
  return list;
}
template <class Tuple, size_t... I>
PyObject* to_tuple(const Tuple& value, std::index_sequence<I...>) {
  PyObject* tuple = PyTuple_New(sizeof...(I));
  auto put = [&tuple](Py_ssize_t at, PyObject* item) {
    if (tuple == nullptr) Py_XDECREF(item);
    else if (item == nullptr) Py_CLEAR(tuple);
    else PyTuple_SET_ITEM(tuple, at, item);
  };
  (put(I, to(std::get<I>(value))), ...);
  return tuple;
}
template <class... T>
PyObject* to(const std::tuple<T...>& value) {
  return to_tuple(value, std::index_sequence_for<T...>{});
}
template <class A, class B>
PyObject* to(const std::pair<A, B>& value) {
  return to_tuple(value, std::make_index_sequence<2>{});
}

template <class A>
bool mismatch(size_t at, PyObject* object) {
  const std::string wanted = From<std::remove_cv_t<std::remove_reference_t<A>>>::wanted();
  PyErr_Format(PyExc_TypeError, "incompatible function arguments: argument %zu is of type %s where %s is wanted",
               at + 1, Py_TYPE(object)->tp_name, wanted.c_str());
  return false;
}

template <class F>
struct Signature {
  static_assert(unknown<F>, "at::bindings: what is no plain function is left to pybind11");
};
template <class R, class... A>
struct Signature<R (*)(A...)> {
  static constexpr Py_ssize_t arguments = sizeof...(A);

  template <R (*F)(A...), size_t... I>
  static PyObject* call(PyObject* const* args, std::index_sequence<I...>) {
    std::tuple<From<std::remove_cv_t<std::remove_reference_t<A>>>...> loaded;
    const bool fits = (... && (std::get<I>(loaded).load(args[I]) || mismatch<A>(I, args[I])));
    if (!fits) return nullptr;
    if constexpr (std::is_void_v<R>) {
      F(static_cast<A>(std::get<I>(loaded).value)...);
      return Py_NewRef(Py_None);
    } else {
      return to(F(static_cast<A>(std::get<I>(loaded).value)...));
    }
  }
};
template <auto F>
PyObject* body(PyObject* const* args) {
  using S = Signature<decltype(F)>;
  return S::template call<F>(args, std::make_index_sequence<static_cast<size_t>(S::arguments)>{});
}

template <auto F>
PyObject* entry(PyObject*, PyObject* const* args, Py_ssize_t given) {
  constexpr Py_ssize_t wanted = Signature<decltype(F)>::arguments;
  if (given != wanted) {
    return PyErr_Format(PyExc_TypeError, "incompatible function arguments: %zd given, %zd wanted", given, wanted);
  }
  return guarded({body<F>, args});
}

template <auto F>
PyMethodDef method(const char* name, const char* text) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entry<F>)), METH_FASTCALL, text};
}

}  // namespace kernelopt
#endif
