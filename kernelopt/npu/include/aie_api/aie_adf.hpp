// The stream interface is not modelled; kernels of the suite work on buffers only.
#pragma once

#include "aie.hpp"
