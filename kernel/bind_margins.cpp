// margins(problem, program, ...): codes and numbers of every name at an optimum.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>

#include "margins.hpp"
#include "read_program.hpp"

namespace deadband {

namespace {

using Floats = py::array_t<double, py::array::c_style>;
using Codes = py::array_t<int16_t, py::array::c_style>;

void expect(py::ssize_t size, int64_t expected, const char *name) {
    if (size != expected)
        throw py::value_error(std::string(name) + " has " + std::to_string(size) + " elements, expected " +
                              std::to_string(expected) + ".");
}

py::tuple explain(const py::object &problem, const py::object &given, const Codes &row_limit,
                  const Floats &weights, const Floats &prices, const Floats &risk,
                  const std::optional<Floats> &half_borrow) {
    const Program program = read_program(given);
    const int64_t n = program.n;
    const py::object bounds = problem.attr("bounds");
    expect(row_limit.size(), program.signed_rows, "row_limit");
    expect(weights.size(), n, "weights");
    expect(prices.size(), program.limits(), "prices");
    expect(risk.size(), n, "risk");
    if (half_borrow) expect(half_borrow->size(), n, "half_borrow");
    margins::Answer answer;
    answer.current = view<double>(problem, "current", n);
    answer.cost = view<double>(problem, "cost", n);
    answer.cut = view<int16_t>(problem, "cut", n);
    answer.cap_low = view<double>(bounds, "low", n);
    answer.cap_high = view<double>(bounds, "high", n);
    answer.turnover_name = py::cast<double>(bounds.attr("turnover_name"));
    answer.half_borrow = half_borrow ? half_borrow->data() : nullptr;
    answer.row_limit = row_limit.data();
    answer.weights = weights.data();
    answer.prices = prices.data();
    answer.risk = risk.data();
    Codes code(n), limit(n);
    Floats gain(n);
    margins::explain(program, answer, {code.mutable_data(), limit.mutable_data(), gain.mutable_data()});
    return py::make_tuple(code, limit, gain);
}

}  // namespace

void bind_margins(py::module_ &m) {
    m.def("margins", &explain, py::arg("problem"), py::arg("program"), py::arg("row_limit"),
          py::arg("weights"), py::arg("prices"), py::arg("risk"), py::arg("half_borrow"),
          "(code, limit, gain) of every name at an optimum, each (n,).");
}

}  // namespace deadband
