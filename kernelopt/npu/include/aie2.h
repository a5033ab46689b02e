// Name under which some kernels include the core's header.
#pragma once

#include "aie_api/aie.hpp"
