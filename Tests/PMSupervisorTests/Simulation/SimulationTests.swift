import Glibc
import PMModel
import PMSupervisor
import Testing

/// Sequences of requests and accidents, each from its own seed. PM_SEED=N in the environment runs the one of that seed alone.
struct SimulationTests {
    private static let chunks = 20
    private static let sequences = 510

    private static let onlySeed = getenv("PM_SEED").flatMap { UInt64(String(cString: $0)) }

    /// The seeds from a number up to another, or the one that the environment asks for.
    private static func seeds(_ range: Range<Int>) -> [UInt64] {
        onlySeed.map { [$0] } ?? range.map(UInt64.init)
    }

    @Test(arguments: 0..<chunks)
    func `ten thousand random lives break no rule`(chunk: Int) {
        var phases: Set<UnitPhase> = []
        for seed in Self.seeds(chunk * Self.sequences..<(chunk + 1) * Self.sequences) {
            guard let seen = Self.run(seed) else { return }
            phases.formUnion(seen)
        }
        #expect(Self.onlySeed != nil || phases == Set(UnitPhase.allCases))
    }

    @Test func `plans of units that fail and are stopped at random all end`() throws {
        for seed in Self.seeds(0..<1_000) {
            var simulation = try PlanSimulation(seed: seed)
            do {
                try simulation.run(steps: 80)
            } catch {
                Issue.record("seed \(seed) breaks: \(error)")
                return
            }
        }
    }

    /// Lives one life; nil, with the seed and the sequence printed, if it breaks a rule.
    private static func run(_ seed: UInt64) -> Set<UnitPhase>? {
        var simulation = Simulation(seed: seed)
        do {
            try simulation.run(steps: 50)
            return simulation.phases
        } catch {
            Issue.record("seed \(seed) breaks: \(error)\n\(text(simulation.trace))")
            return nil
        }
    }

    private static func text(_ trace: [Simulation.Step]) -> String {
        trace.suffix(300).map { step in
            switch step {
            case .daemonDied: "the daemon dies"
            case .initDied: "pm-init dies"
            case .rebooted: "the machine starts again"
            case .handled(let event, let time, let actions): "\(time.nanoseconds / 1_000) us: \(event) -> \(actions)"
            }
        }.joined(separator: "\n")
    }
}
