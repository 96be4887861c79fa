// rotate(problem, config): the greedy pass on Python's own Problem and OptimizationConfig.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>

#include "greedy.hpp"
#include "read_problem.hpp"

namespace deadband {

namespace {

namespace py = pybind11;

template <typename T>
py::array_t<T> fresh(int64_t n) {
    return py::array_t<T>(n);
}

// numpy takes pages that are zero already where there are many; few are filled faster here.
template <typename T>
py::array_t<T> zeros(int64_t n) {
    constexpr int64_t MANY = 8192;
    if (n > MANY) return py::module_::import("numpy").attr("zeros")(n, py::dtype::of<T>());
    py::array_t<T> array(n);
    std::fill_n(array.mutable_data(), n, T{0});
    return array;
}

py::tuple rotate(const py::object &problem, const py::object &config) {
    const greedy::ProblemReader reader(problem);
    const int64_t n = reader.p.n;
    auto weights = fresh<double>(n);
    auto code = fresh<int16_t>(n), limit = zeros<int16_t>(n);
    auto counterpart = fresh<int64_t>(n);
    auto gap = zeros<double>(n), gain = zeros<double>(n), cost = zeros<double>(n);
    const greedy::Columns out = {weights.mutable_data(),     code.mutable_data(),
                                 limit.mutable_data(),       counterpart.mutable_data(),
                                 gap.mutable_data(),         gain.mutable_data(),
                                 cost.mutable_data()};
    greedy::rotate_top_k(reader.p, greedy::read_config(config, reader.p.scale != nullptr), out);
    return py::make_tuple(weights, code, limit, counterpart, gap, gain, cost);
}

}  // namespace

void bind_greedy(py::module_ &m) {
    m.def("rotate", &rotate, py::arg("problem"), py::arg("config"),
          "Weights (n,) and the columns code, limit, counterpart, gap, gain, cost (n,).");
}

}  // namespace deadband
