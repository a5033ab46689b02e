// Helpers of the API that kernels include beside it; on the host model all of it is in aie.hpp.
#pragma once

#include "aie.hpp"
