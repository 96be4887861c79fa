// Brings a book back inside its limits by shrinking weights only, the counterpart of trim.py.
#pragma once

#include "greedy_draft.hpp"

namespace deadband::greedy {

// Repairs every breach; `beta` false leaves beta to the hedge.
void trim(Draft &draft, bool beta);

}  // namespace deadband::greedy
