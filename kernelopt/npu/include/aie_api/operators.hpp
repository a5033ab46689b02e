// `#include <aie_api/operators.hpp>` and `using namespace aie::operators;` give vectors their operators.
#pragma once

#include "aie.hpp"
#include "model/operators.hpp"
