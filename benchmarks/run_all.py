"""Every benchmark, one after the other; results are kept in benchmarks/results/."""

from __future__ import annotations

import bench_cycle
import bench_doctor
import bench_features
import bench_greedy
import bench_qp
import bench_risk
import bench_wire


def main() -> None:
    bench_greedy.main()
    bench_cycle.main()
    bench_doctor.main([])
    bench_features.main()
    bench_qp.main([])
    bench_risk.main()
    bench_wire.main()


if __name__ == "__main__":
    main()
