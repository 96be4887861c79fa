// The gradient q + 2λ s∘C(s∘w) + ε(w − centre), kept cheaply while a few names move.
//
// Dense: the product C(s∘w) is brought up to date only when all names are asked for; a single name
// adds what moved since. Factor form: the k sums Bᵀ(s∘w) are always up to date.
#pragma once

#include <vector>

#include "program.hpp"

namespace deadband {

class Gradient {
public:
    Gradient(const Program &program, const double *weights);

    // A proximal term ε/2 |w − centre|² makes a singular problem definite; its centre moves to the
    // answer until it no longer pulls.
    void set_ridge(double ridge, const double *weights);
    double ridge() const { return ridge_; }
    // How far the proximal term still pulls at `weights`; the centre moves there.
    double recenter(const double *weights);

    void moved(int64_t name, double change);
    // As `moved`, for one whose change all names are about to see.
    void moved_at_once(int64_t name, double change);
    // Takes what moved into the product that single names read.
    void bring_up_to_date();
    double of(int64_t name, double weight) const;
    // Of every name, into `out` (n).
    void all(const double *weights, double *out);

private:
    const Program *p_;
    double ridge_ = 0.0;
    std::vector<double> centre_;
    std::vector<double> product_;   // C(s∘w) at the last bringing up to date (dense)
    std::vector<double> pending_;   // s∘Δw since (dense)
    std::vector<int64_t> touched_;  // names with something pending, each once
    std::vector<char> listed_;
    std::vector<double> sums_;      // Bᵀ(s∘w) (factor form)
};

}  // namespace deadband
