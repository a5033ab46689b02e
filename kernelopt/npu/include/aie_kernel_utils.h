// The AIE_LOOP_* and AIE_PREPARE_* macros, which aie.hpp defines already.
#pragma once

#include "aie_api/model/events.hpp"
