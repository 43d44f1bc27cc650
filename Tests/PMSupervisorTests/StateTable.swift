import PMModel
import PMSupervisor

/// The states and events of the table in Docs/Supervision.md, and the text made by running the machine through them.
enum StateTable {
    /// A way into each state, by events alone.
    static var states: [Rig] {
        let unready = started(.draining)
        let ready = applied(unready) { $0.child(.ready) }
        let draining = applied(ready) { $0.request(.down) }
        let program = started(.plain)
        let stopping = applied(program) { $0.request(.down) }
        let crashed = applied(program) { $0.exit(.crash, .maybe) }
        return [
            Rig(.draining),
            applied(program) { $0.exit(.clean) },
            applied(Rig(.draining)) { $0.request(.up) },
            applied(Rig(.draining)) { rig in [.up, .down].forEach { rig.request($0) } },
            applied(Rig(.draining)) { rig in [.up, .restart].forEach { rig.request($0) } },
            applied(Rig(.draining)) { starting(&$0) },
            applied(Rig(.draining)) { rig in
                starting(&rig)
                rig.request(.down)
            },
            unready, ready, draining,
            applied(draining) { $0.child(.drained) },
            applied(draining) { rig in
                rig.child(.drained)
                rig.child(.stopCommandFinished(.answered))
            },
            stopping,
            applied(program) { $0.request(.restart) },
            applied(stopping) { $0.exit(.terminated, .maybe) },
            applied(stopping) { $0.fire() },
            applied(unready) { $0.fire() },
            applied(ready) { $0.child(.unresponsive(.restart, seen: "no answer")) },
            crashed, stuck(stopping), waiting(deaths: 2), waiting(deaths: 10),
        ]
    }

    static let events: [(name: String, event: @Sendable (Rig) -> UnitEvent)] = [
        ("request up", { _ in .request(.up) }),
        ("request down", { _ in .request(.down) }),
        ("request restart", { _ in .request(.restart) }),
        ("process there", { child(.starting(pid: 7), $0) }),
        ("spawned", { child(.spawned(pid: 7), $0) }),
        ("spawn failed", { child(.spawnFailed(.exec), $0) }),
        ("ready", { child(.ready, $0) }),
        ("unresponsive: restart", { child(.unresponsive(.restart, seen: "no answer"), $0) }),
        ("unresponsive: stop", { child(.unresponsive(.stop, seen: "no answer"), $0) }),
        ("no call left", { child(.drained, $0) }),
        ("`$stop` answered", { child(.stopCommandFinished(.answered), $0) }),
        ("`$stop` failed", { child(.stopCommandFinished(.failed), $0) }),
        ("exited with 0", { child(.exited(ExitReport(reason: .clean)), $0) }),
        ("crashed", { child(.exited(ExitReport(reason: .crash)), $0) }),
        ("crashed, leftovers", { child(.exited(ExitReport(reason: .crash, leftovers: .maybe)), $0) }),
        ("tree: none left", { child(.treeReport(survivors: 0), $0) }),
        ("tree: 3 left", { child(.treeReport(survivors: 3), $0) }),
        ("timer", { .timerFired(token: $0.timer?.token ?? 0) }),
    ]

    /// One table for each state.
    static var text: String {
        states.map { rig in
            var rows: [String] = []
            var ignored: [String] = []
            for (name, make) in events {
                var next = rig
                if let timer = rig.timer { next.now = max(next.now, timer.at) }
                let actions = next.send(make(rig))
                if actions.isEmpty, next.machine == rig.machine {
                    ignored.append(name)
                } else {
                    rows.append("| \(name) | \(label(next)) | \(actions.map(word).joined(separator: ", ")) |")
                }
            }
            return """
                ### \(label(rig))

                | event | next state | actions |
                |---|---|---|
                \(rows.joined(separator: "\n"))

                Ignored: \(ignored.joined(separator: "; ")).
                """
        }.joined(separator: "\n\n")
    }

    // MARK: Ways into states

    private static func applied(_ rig: Rig, _ change: (inout Rig) -> Void) -> Rig {
        var rig = rig
        change(&rig)
        return rig
    }

    private static func started(_ settings: UnitSettings) -> Rig {
        applied(Rig(settings)) { $0.start() }
    }

    private static func starting(_ rig: inout Rig) {
        rig.request(.up)
        rig.child(.starting(pid: 7))
    }

    private static func stuck(_ stopping: Rig) -> Rig {
        applied(stopping) { rig in
            rig.exit(.terminated, .maybe)
            for _ in 0..<200 where rig.machine.phase != .stuck {
                rig.child(.treeReport(survivors: 3))
                rig.fire()
            }
        }
    }

    private static func waiting(deaths: Int) -> Rig {
        applied(started(.plain)) { rig in
            rig.exit(.crash)
            for _ in 1..<deaths {
                rig.fire()
                rig.child(.spawned(pid: 100))
                rig.exit(.crash)
            }
        }
    }

    private static func child(_ event: ChildEvent, _ rig: Rig) -> UnitEvent {
        .child(event, incarnation: rig.machine.incarnation)
    }

    // MARK: Words

    private static func label(_ rig: Rig) -> String {
        switch rig.machine.state {
        case .down(.neverStarted): "down, never started"
        case .down(.stopped): "down, stopped"
        case .down(.finished): "down, finished"
        case .starting(let starting):
            "starting" + (rig.timer == nil ? "" : ", process there")
                + (starting.then == .run ? "" : ", then \(starting.then)")
        case .up(let up): up.isReady ? "up, ready" : "up, not ready"
        case .backingOff: "backing off"
        case .cooling: "cooling"
        case .stopping(let stopping): label(stopping, rig.machine.phase)
        }
    }

    private static func label(_ stopping: Stopping, _ phase: UnitPhase) -> String {
        let step =
            switch stopping.step {
            case .draining: "open calls awaited"
            case .command: "`$stop` called"
            case .commandAnswered: "`$stop` answered"
            case .signalled: stopping.leader == .gone ? "leader gone, rest counted" : "signal sent"
            case .killing: stopping.leader == .gone ? "leader gone, killing" : "killing"
            case .stuck: "trying slowly"
            }
        let next =
            switch stopping.next {
            case .rest: "rest"
            case .start: "start"
            case .restart, .cool: "restart"
            case .finish: "finish"
            }
        let cause =
            switch stopping.cause {
            case .notReady: " (not ready in time)"
            case .unresponsive: " (unresponsive)"
            case .requested, .died: ""
            }
        return "\(phase.rawValue)\(cause): \(step), then \(next)"
    }

    private static func word(_ action: UnitAction) -> String {
        switch action {
        case .signalGroup(let signal): "signalGroup(\(signal))"
        case .sweepTree(let signal): "sweepTree(\(signal))"
        case .startOutcome(.failed(.died)): "startOutcome(failed: died)"
        case .startOutcome(.failed(.blocked)): "startOutcome(failed: blocked)"
        case .startOutcome(let outcome): "startOutcome(\(outcome))"
        case .ended(let survivors): "ended(\(survivors))"
        case .recordDeath(let death): death.wasRequested ? "recordDeath(requested)" : "recordDeath"
        case .spawn: "spawn"
        case .armTimer: "armTimer"
        case .forget: "forget"
        case .drain, .callStopCommand, .cancelTimer, .beginReadiness, .endReadiness, .becameReady,
            .becameUnready, .stateChanged:
            "\(action)"
        }
    }
}
