// The module deadband.optimize._kernel: every part binds itself.
#include <pybind11/pybind11.h>

namespace deadband {
void bind_active_set(pybind11::module_ &m);
void bind_greedy(pybind11::module_ &m);
void bind_interior(pybind11::module_ &m);
void bind_margins(pybind11::module_ &m);
}  // namespace deadband

PYBIND11_MODULE(_kernel, m) {
    m.doc() = "Compiled counterparts of deadband.optimize; the same answers, sooner.";
    deadband::bind_active_set(m);
    deadband::bind_greedy(m);
    deadband::bind_interior(m);
    deadband::bind_margins(m);
}
