#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "active_set.hpp"
#include "read_program.hpp"

namespace deadband {

namespace {

using Floats = py::array_t<double, py::array::c_style>;

py::tuple active_set(const py::object &given, const Floats &start, const Floats &start_prices,
                     int64_t most_pivots, int64_t most_free, double snap, bool descend) {
    const Program program = read_program(given);
    if (start.size() != program.n || start_prices.size() != program.limits())
        throw py::value_error("the start has " + std::to_string(start.size()) + " weights and " +
                              std::to_string(start_prices.size()) + " prices, the program " +
                              std::to_string(program.n) + " and " + std::to_string(program.limits()) + ".");
    Floats weights(program.n), prices(program.limits());
    std::copy(start.data(), start.data() + program.n, weights.mutable_data());
    std::copy(start_prices.data(), start_prices.data() + program.limits(), prices.mutable_data());
    const ActiveSetOptions options{most_pivots, most_free, snap, descend};
    ActiveSetResult result;
    {
        double *w = weights.mutable_data(), *y = prices.mutable_data();
        py::gil_scoped_release release;
        result = solve_active_set(program, options, w, y);
    }
    return py::make_tuple(weights, prices, static_cast<int>(result.outcome), result.pivots, result.most_free,
                          result.pricings);
}

}  // namespace

void bind_active_set(py::module_ &m) {
    m.def("active_set", &active_set, py::arg("program"), py::arg("start"), py::arg("start_prices"),
          py::arg("most_pivots"), py::arg("most_free"), py::arg("snap"), py::arg("descend") = false,
          "(weights, prices, outcome, pivots, most free names, pricings of all names)");
}

}  // namespace deadband
