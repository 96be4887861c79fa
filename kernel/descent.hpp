// A start nearer the optimum than the book, where few limits are in the way.
//
// Name after name goes to where its own part of the objective is least, sweep after sweep
// (coordinate descent: S. J. Wright, Mathematical Programming 151, 2015). Limits over many names are
// not looked at, so it is given up as soon as the book on the way needs far more turnover or gross
// than there is: names that limits hold back are better started from the book.
#pragma once

#include "gradient.hpp"
#include "kinks.hpp"
#include "program.hpp"

namespace deadband {

// True where `weights` (n) were moved to such a start, with `gradient` along; else both are as before.
bool descend(const Program &program, const Kinks &kinks, Gradient &gradient, double *weights);

}  // namespace deadband
