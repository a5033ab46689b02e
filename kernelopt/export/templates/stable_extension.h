// What kernels use of torch/extension.h, on PyTorch's stable interface and Python's limited one: a build
// serves every Python from 3.11 and every PyTorch from 2.10 on. What is not here does not compile.
#pragma once
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#ifndef TORCH_TARGET_VERSION
#define TORCH_TARGET_VERSION 0x020a000000000000  // 2.10
#endif
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#define TORCH_CHECK(CONDITION, ...) \
  STD_TORCH_CHECK(CONDITION, "expected " #CONDITION __VA_OPT__(, ": ", __VA_ARGS__))

namespace kernels __attribute__((visibility("hidden"))) {

namespace stable = torch::stable;
using torch::headeronly::BFloat16;
using torch::headeronly::DeviceType;
using torch::headeronly::Half;
using torch::headeronly::ScalarType;
using Sizes = torch::headeronly::IntHeaderOnlyArrayRef;

// Type and device of a tensor to be made.
struct TensorOptions {
  ScalarType type = ScalarType::Float;
  stable::Device place = stable::Device(DeviceType::CPU, -1);
  TensorOptions() = default;
  TensorOptions(ScalarType type) : type(type) {}
  TensorOptions(ScalarType type, stable::Device place) : type(type), place(place) {}
  TensorOptions dtype(ScalarType other) const { return {other, place}; }
  TensorOptions device(stable::Device other) const { return {type, other}; }
  TensorOptions device(DeviceType other) const { return {type, stable::Device(other, -1)}; }
};

template <class T> struct Scalar;
#define KERNELS_SCALAR(T, NAME) \
  template <> struct Scalar<T> { static constexpr ScalarType type = ScalarType::NAME; };
KERNELS_SCALAR(float, Float)
KERNELS_SCALAR(double, Double)
KERNELS_SCALAR(int64_t, Long)
KERNELS_SCALAR(long long, Long)
KERNELS_SCALAR(int32_t, Int)
KERNELS_SCALAR(int16_t, Short)
KERNELS_SCALAR(int8_t, Char)
KERNELS_SCALAR(uint8_t, Byte)
KERNELS_SCALAR(bool, Bool)
KERNELS_SCALAR(Half, Half)
KERNELS_SCALAR(BFloat16, BFloat16)
#undef KERNELS_SCALAR

// A tensor. It holds PyTorch's own stable one and is none, so that no function beyond these is found for it.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(stable::Tensor tensor) : held(std::move(tensor)) {}

  const stable::Tensor& kernels_inner() const { return *held; }
  bool defined() const { return held && held->defined(); }
  int64_t dim() const { return held->dim(); }
  int64_t ndimension() const { return held->dim(); }
  int64_t numel() const { return held->numel(); }
  int64_t size(int64_t axis) const { return held->size(axis); }
  int64_t stride(int64_t axis) const { return held->stride(axis); }
  Sizes sizes() const { return held->sizes(); }
  Sizes strides() const { return held->strides(); }
  int64_t storage_offset() const { return held->storage_offset(); }
  int64_t element_size() const { return int64_t(held->element_size()); }
  int64_t itemsize() const { return element_size(); }
  int64_t nbytes() const { return numel() * element_size(); }
  bool is_contiguous() const { return held->is_contiguous(); }
  bool is_cpu() const { return held->is_cpu(); }
  bool is_cuda() const { return held->is_cuda(); }
  ScalarType scalar_type() const { return held->scalar_type(); }
  ScalarType dtype() const { return held->scalar_type(); }
  stable::Device device() const { return held->device(); }
  bool is_floating_point() const {
    ScalarType type = scalar_type();
    return type == ScalarType::Float || type == ScalarType::Double || type == ScalarType::Half ||
           type == ScalarType::BFloat16;
  }
  TensorOptions options() const { return {scalar_type(), device()}; }

  void* data_ptr() const { return held->data_ptr(); }
  template <class T> T* data_ptr() const {
    using Plain = std::remove_const_t<T>;
    STD_TORCH_CHECK(scalar_type() == Scalar<Plain>::type, "expected another scalar type of a tensor");
    return static_cast<T*>(held->data_ptr());
  }
  template <class T> T* mutable_data_ptr() const { return data_ptr<T>(); }
  template <class T> const T* const_data_ptr() const { return data_ptr<const T>(); }

  Tensor contiguous() const { return is_contiguous() ? *this : Tensor(stable::contiguous(*held)); }
  Tensor clone() const { return Tensor(stable::clone(*held)); }
  Tensor view(Sizes sizes) const { return Tensor(stable::view(*held, sizes)); }
  Tensor reshape(Sizes sizes) const { return Tensor(stable::reshape(*held, sizes)); }
  Tensor flatten(int64_t from = 0, int64_t to = -1) const { return Tensor(stable::flatten(*held, from, to)); }
  Tensor transpose(int64_t one, int64_t other) const { return Tensor(stable::transpose(*held, one, other)); }
  Tensor unsqueeze(int64_t axis) const { return Tensor(stable::unsqueeze(*held, axis)); }
  Tensor squeeze(int64_t axis) const { return Tensor(stable::squeeze(*held, axis)); }
  Tensor select(int64_t axis, int64_t index) const { return Tensor(stable::select(*held, axis, index)); }
  Tensor narrow(int64_t axis, int64_t from, int64_t length) const {
    stable::Tensor copy = *held;
    return Tensor(stable::narrow(copy, axis, from, length));
  }
  Tensor zero_() const {
    stable::Tensor copy = *held;
    return Tensor(stable::zero_(copy));
  }

 private:
  std::optional<stable::Tensor> held;
};

inline Tensor empty(Sizes sizes, TensorOptions options = {}) {
  return Tensor(stable::empty(sizes, options.type, std::nullopt, options.place));
}
inline Tensor full(Sizes sizes, double value, TensorOptions options = {}) {
  return Tensor(stable::full(sizes, value, options.type, std::nullopt, options.place));
}
inline Tensor zeros(Sizes sizes, TensorOptions options = {}) { return full(sizes, 0.0, options); }
inline Tensor ones(Sizes sizes, TensorOptions options = {}) { return full(sizes, 1.0, options); }
inline Tensor empty_like(const Tensor& like) { return Tensor(stable::empty_like(like.kernels_inner())); }
inline Tensor zeros_like(const Tensor& like) { return empty_like(like).zero_(); }
inline TensorOptions dtype(ScalarType type) { return {type}; }

// What is registered: the schema that follows from a function's types, and how its values pass the border.
template <class T, class = void> struct Passed;
template <> struct Passed<Tensor> {
  static constexpr const char* schema = "Tensor";
  static Tensor in(StableIValue value) { return Tensor(stable::detail::to<stable::Tensor>(value)); }
  static StableIValue out(const Tensor& value) { return stable::detail::from(value.kernels_inner()); }
};
template <> struct Passed<std::optional<Tensor>> {
  static constexpr const char* schema = "Tensor?";
  static std::optional<Tensor> in(StableIValue value) {
    auto found = stable::detail::to<std::optional<stable::Tensor>>(value);
    return found ? std::optional<Tensor>(Tensor(std::move(*found))) : std::nullopt;
  }
};
template <> struct Passed<bool> {
  static constexpr const char* schema = "bool";
  static bool in(StableIValue value) { return stable::detail::to<bool>(value); }
  static StableIValue out(bool value) { return stable::detail::from(value); }
};
template <class T> struct Passed<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
  static constexpr const char* schema = "int";
  static T in(StableIValue value) { return T(stable::detail::to<int64_t>(value)); }
  static StableIValue out(T value) { return stable::detail::from(int64_t(value)); }
};
template <class T> struct Passed<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static constexpr const char* schema = "float";
  static T in(StableIValue value) { return T(stable::detail::to<double>(value)); }
  static StableIValue out(T value) { return stable::detail::from(double(value)); }
};
template <> struct Passed<std::vector<Tensor>> {
  static constexpr const char* schema = "Tensor[]";
  static std::vector<Tensor> in(StableIValue value) {
    std::vector<Tensor> made;
    for (auto& one : stable::detail::to<std::vector<stable::Tensor>>(value)) made.emplace_back(std::move(one));
    return made;
  }
  static StableIValue out(const std::vector<Tensor>& value) {
    std::vector<stable::Tensor> made;
    for (const Tensor& one : value) made.push_back(one.kernels_inner());
    return stable::detail::from(made);
  }
};
template <> struct Passed<std::vector<int64_t>> {
  static constexpr const char* schema = "int[]";
  static std::vector<int64_t> in(StableIValue value) { return stable::detail::to<std::vector<int64_t>>(value); }
};

template <class R> struct Returned {
  static std::string schema() { return Passed<R>::schema; }
  static void put(StableIValue* stack, const R& value) { stack[0] = Passed<R>::out(value); }
};
template <class... R> struct Returned<std::tuple<R...>> {
  static std::string schema() {
    std::string made;
    ((made += made.empty() ? "(" : ", ", made += Passed<R>::schema), ...);
    return made + ")";
  }
  static void put(StableIValue* stack, const std::tuple<R...>& value) {
    int64_t at = 0;
    std::apply([&](const R&... one) { ((stack[at++] = Passed<R>::out(one)), ...); }, value);
  }
};

template <auto F> struct Function;
template <class R, class... A, R (*F)(A...)> struct Function<F> {
  static std::string schema(const char* name) {
    std::string made = std::string(name) + "(";
    int64_t at = 0;
    ((made += at ? ", " : "", made += Passed<std::decay_t<A>>::schema, made += " x" + std::to_string(at++)), ...);
    if constexpr (std::is_void_v<R>) return made + ") -> ()";
    else return made + ") -> " + Returned<std::decay_t<R>>::schema();
  }
  static void boxed(StableIValue* stack, uint64_t, uint64_t) { call(stack, std::index_sequence_for<A...>()); }
  template <std::size_t... I> static void call(StableIValue* stack, std::index_sequence<I...>) {
    std::tuple<std::decay_t<A>...> given{Passed<std::decay_t<A>>::in(stack[I])...};
    if constexpr (std::is_void_v<R>) F(std::get<I>(given)...);
    else Returned<std::decay_t<R>>::put(stack, F(std::get<I>(given)...));
  }
};

// A Python module whose functions are the operators of a namespace.
inline PyObject* module_of(PyModuleDef* definition, const char* space, const std::vector<const char*>& names) {
  PyObject* module = PyModule_Create(definition);
  PyObject* torch = module ? PyImport_ImportModule("torch") : nullptr;
  PyObject* ops = torch ? PyObject_GetAttrString(torch, "ops") : nullptr;
  PyObject* found = ops ? PyObject_GetAttrString(ops, space) : nullptr;
  bool fine = found != nullptr;
  for (const char* name : names) {
    PyObject* one = fine ? PyObject_GetAttrString(found, name) : nullptr;
    fine = one && PyObject_SetAttrString(module, name, one) == 0;
    Py_XDECREF(one);
  }
  Py_XDECREF(found), Py_XDECREF(ops), Py_XDECREF(torch);
  if (!fine) Py_XDECREF(module), module = nullptr;
  return module;
}

}  // namespace kernels

#define KERNELS_MODULE(NAME, SPACE, ...)                                                                 \
  static PyModuleDef kernels_definition = {PyModuleDef_HEAD_INIT, NAME, nullptr, -1, nullptr, nullptr,   \
                                           nullptr, nullptr, nullptr};                                   \
  static PyObject* kernels_module() { return kernels::module_of(&kernels_definition, SPACE, {__VA_ARGS__}); }

// The names under which kernels know all this.
namespace torch {
using kernels::dtype, kernels::empty, kernels::empty_like, kernels::full, kernels::ones, kernels::Tensor;
using kernels::TensorOptions, kernels::zeros, kernels::zeros_like;
using IntArrayRef = kernels::Sizes;
using headeronly::BFloat16, headeronly::Half, headeronly::ScalarType;
inline constexpr ScalarType kFloat32 = ScalarType::Float, kFloat = kFloat32, kFloat64 = ScalarType::Double;
inline constexpr ScalarType kDouble = kFloat64, kInt64 = ScalarType::Long, kLong = kInt64;
inline constexpr ScalarType kInt32 = ScalarType::Int, kInt = kInt32, kInt16 = ScalarType::Short, kShort = kInt16;
inline constexpr ScalarType kInt8 = ScalarType::Char, kChar = kInt8, kUInt8 = ScalarType::Byte, kByte = kUInt8;
inline constexpr ScalarType kBool = ScalarType::Bool, kFloat16 = ScalarType::Half, kHalf = kFloat16;
inline constexpr ScalarType kBFloat16 = ScalarType::BFloat16;
inline constexpr headeronly::DeviceType kCPU = headeronly::DeviceType::CPU, kCUDA = headeronly::DeviceType::CUDA;
using stable::get_num_threads, stable::parallel_for;
}  // namespace torch
namespace c10 {
using std::nullopt, std::optional;
using torch::IntArrayRef, torch::TensorOptions;
}  // namespace c10
namespace at {
using namespace torch;
using c10::optional, c10::nullopt;
}  // namespace at
