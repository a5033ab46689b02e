# honest: extension with an interface: the accumulator overrides var() of an abstract struct
# task: 1/24
from torch import nn
from torch.utils.cpp_extension import load_inline

SOURCE = r"""
#include <torch/extension.h>
#include <ATen/Parallel.h>

template <typename acc_t>
struct Moments {
  virtual ~Moments() = default;
  virtual acc_t var() const = 0;
};

template <typename acc_t>
struct WelfordAcc final : Moments<acc_t> {
  acc_t mean_ = 0, m2_ = 0;
  int64_t n_ = 0;
  inline void push(acc_t v) {
    ++n_;
    const acc_t delta = v - mean_;
    mean_ += delta / static_cast<acc_t>(n_);
    m2_ += delta * (v - mean_);
  }
  acc_t var() const override { return m2_ / static_cast<acc_t>(n_ - 1); }
};

template <typename Acc>
float reduce_row(const float* row, int64_t cols, Acc acc) {
  for (int64_t c = 0; c < cols; ++c) acc.push(row[c]);
  return static_cast<float>(acc.var());
}

torch::Tensor row_variance(const torch::Tensor& x) {
  auto in = x.contiguous();
  auto out = torch::empty({in.size(0)}, in.options());
  const float* xp = in.data_ptr<float>();
  float* yp = out.data_ptr<float>();
  const int64_t cols = in.size(1);
  at::parallel_for(0, in.size(0), 16, [&](int64_t a, int64_t b) {
    for (int64_t r = a; r < b; ++r) yp[r] = reduce_row(xp + r * cols, cols, WelfordAcc<double>());
  });
  return out;
}
"""
ext = load_inline(
    name="row_variance_override", cpp_sources=SOURCE, functions=["row_variance"], extra_cflags=["-O3"]
)


class ModelNew(nn.Module):
    def forward(self, x):
        return ext.row_variance(x)
