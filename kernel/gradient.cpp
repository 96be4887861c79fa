#include "gradient.hpp"

#include <algorithm>
#include <cmath>

#include "hot.hpp"

namespace deadband {

Gradient::Gradient(const Program &program, const double *weights)
    : p_(&program), centre_(program.n, 0.0), sums_(program.factors, 0.0) {
    if (program.matrix) {
        product_.assign(program.n, 0.0);
        pending_.assign(program.n, 0.0);
        listed_.assign(program.n, 0);
    }
    for (int64_t i = 0; i < program.n; ++i)
        if (weights[i] != 0.0) moved(i, weights[i]);
}

void Gradient::set_ridge(double ridge, const double *weights) {
    ridge_ = ridge;
    std::copy(weights, weights + p_->n, centre_.begin());
}

double Gradient::recenter(const double *weights) {
    double pull = 0.0;
    for (int64_t i = 0; i < p_->n; ++i) {
        pull = std::max(pull, ridge_ * std::fabs(weights[i] - centre_[i]));
        centre_[i] = weights[i];
    }
    return pull;
}

void Gradient::moved(int64_t name, double change) {
    const double x = p_->scale[name] * change;
    if (p_->matrix) {
        if (!listed_[name]) touched_.push_back(name);
        listed_[name] = 1;
        pending_[name] += x;
    } else if (p_->factors > 0) {
        add_scaled(sums_.data(), x, p_->loadings + name * p_->factors, p_->factors);
    }
}

void Gradient::moved_at_once(int64_t name, double change) {
    if (p_->matrix)
        add_scaled(product_.data(), p_->scale[name] * change, p_->matrix + name * p_->n, p_->n);
    else
        moved(name, change);
}

void Gradient::bring_up_to_date() {
    for (int64_t j : touched_) {
        add_scaled(product_.data(), pending_[j], p_->matrix + j * p_->n, p_->n);
        pending_[j] = 0.0;
        listed_[j] = 0;
    }
    touched_.clear();
}

double Gradient::of(int64_t name, double weight) const {
    const double own = p_->linear[name] + ridge_ * (weight - centre_[name]);
    const double twice = 2.0 * p_->risk_weight * p_->scale[name];
    if (p_->matrix) {
        const double *row = p_->matrix + name * p_->n;
        double product = product_[name];
        for (int64_t j : touched_) product += row[j] * pending_[j];
        return own + twice * product;
    }
    if (p_->factors == 0) return own;
    const double product = dot(p_->loadings + name * p_->factors, sums_.data(), p_->factors);
    return own + twice * (product + p_->specific[name] * p_->scale[name] * weight);
}

void Gradient::all(const double *weights, double *out) {
    if (!p_->matrix) {
        for (int64_t i = 0; i < p_->n; ++i) out[i] = of(i, weights[i]);
        return;
    }
    bring_up_to_date();
    const double twice = 2.0 * p_->risk_weight;
    for (int64_t i = 0; i < p_->n; ++i)
        out[i] = p_->linear[i] + twice * p_->scale[i] * product_[i] + ridge_ * (weights[i] - centre_[i]);
}

}  // namespace deadband
