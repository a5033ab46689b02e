// The AIE API on the host: what kernels include. See README.md beside the folder.
#pragma once

// What the chip's own header brings along, and kernels rely on.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "model/events.hpp"
#include "model/intrinsics.hpp"
#include "model/iterators.hpp"
#include "model/sliding.hpp"
