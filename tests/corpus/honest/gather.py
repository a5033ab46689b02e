# honest: gather: integer indices choose the lines that are summed
# task: local/embedding_bag
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void bag(const float* table, const int64_t* tokens, float* y, int64_t rows, int64_t count,
                    int64_t dim) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        float* out = y + r * dim;
        for (int64_t j = 0; j < dim; ++j) out[j] = 0;
        for (int64_t i = 0; i < count; ++i) {
            const float* line = table + tokens[r * count + i] * dim;
            for (int64_t j = 0; j < dim; ++j) out[j] += line[j];
        }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, table, tokens):
        y = torch.empty(tokens.shape[0], table.shape[1])
        lib.bag(table, tokens, y, tokens.shape[0], tokens.shape[1], table.shape[1])
        return y
