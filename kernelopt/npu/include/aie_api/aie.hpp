// The AIE API on the host: what kernels include. See README.md beside the folder.
#pragma once

#include "model/events.hpp"
#include "model/reduce.hpp"
