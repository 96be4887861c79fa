// One deciding code per name, the counterpart of codes.py.
#pragma once

#include "greedy_draft.hpp"

namespace deadband::greedy {

// Codes of every name as if none moved and none was refused; before any move.
void rest(Draft &draft, const Config &config);

// Names that have moved speak by their larger part; after all moves.
void speak(Draft &draft);

}  // namespace deadband::greedy
