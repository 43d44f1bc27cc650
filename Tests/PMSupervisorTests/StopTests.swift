import PMModel
import PMSupervisor
import Testing

/// Stops, and requests that come while one is under way.
struct StopTests {
    @Test func `a program gets its signal, and is down when it is gone`() {
        var rig = Rig()
        rig.start()
        #expect(
            rig.request(.down) == [
                .startOutcome(.superseded), .becameUnready, .signalGroup(15), rig.arm(.seconds(10)), .stateChanged,
            ])
        #expect(rig.machine.phase == .stopping && rig.machine.desired == .down && rig.machine.pid == 100)
        #expect(
            rig.exit(.terminated) == [
                .death(1, .terminated, requested: true), .cancelTimer, .ended(survivors: 0),
                .forget(incarnation: 1), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a stop that hurries kills at once, also what is being stopped`() {
        var rig = Rig(.service)
        rig.serve()
        #expect(
            rig.request(.kill) == [
                .startOutcome(.superseded), .becameUnready, .sweepTree(9), rig.arm(.seconds(5)), .stateChanged,
            ])
        #expect(rig.machine.phase == .stopping && rig.machine.desired == .down)
        var patient = Rig()
        patient.start()
        patient.request(.restart)
        #expect(
            patient.request(.kill) == [
                .startOutcome(.superseded), .sweepTree(9), patient.arm(.seconds(5)), .stateChanged,
            ])
        #expect(patient.request(.kill) == [.startOutcome(.superseded)])
        #expect(patient.exit(.killed).contains(.ended(survivors: 0)))
        #expect(patient.machine.state == .down(.stopped))
    }

    @Test func `a service that serves is asked by its command first`() {
        var rig = Rig(.service)
        rig.serve()
        #expect(
            rig.request(.down) == [
                .startOutcome(.superseded), .becameUnready, .callStopCommand, rig.arm(.seconds(10)), .stateChanged,
            ])
        rig.pass(.seconds(4))
        #expect(rig.child(.stopCommandFinished(.answered)) == [.stateChanged])
        #expect(rig.exit(.clean).contains(.ended(survivors: 0)))
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a service that answers but stays gets the signal when the command's time is over`() {
        var rig = Rig(.service)
        rig.serve()
        rig.request(.down)
        let asked = rig.now
        rig.child(.stopCommandFinished(.answered))
        #expect(rig.fire() == [.signalGroup(15), rig.arm(.seconds(10)), .stateChanged])
        #expect(rig.now == asked + .seconds(10))
    }

    @Test func `a command that fails is followed by the signal at once, one that never answers after its time`() {
        var failing = Rig(.service)
        failing.serve()
        failing.request(.down)
        #expect(
            failing.child(.stopCommandFinished(.failed)) == [
                .signalGroup(15), failing.arm(.seconds(10)), .stateChanged,
            ])
        var silent = Rig(.service)
        silent.serve()
        silent.request(.down)
        #expect(silent.fire().first == .signalGroup(15))
        #expect(silent.child(.stopCommandFinished(.answered)) == [])
    }

    @Test func `a service that does not serve yet is not asked by its command`() {
        var rig = Rig(.service)
        rig.start()
        #expect(
            rig.request(.down) == [
                .startOutcome(.superseded), .endReadiness, .cancelTimer, .signalGroup(15), rig.arm(.seconds(10)),
                .stateChanged,
            ])
    }

    @Test func `each step has its wait, then the whole tree is killed`() {
        var settings = UnitSettings.plain
        settings.stop = StopSequence(steps: [
            StopStep(signal: 2, wait: .seconds(1)), StopStep(signal: 15, wait: .seconds(3)),
        ])
        var rig = Rig(settings)
        rig.start()
        #expect(rig.request(.down).contains(.signalGroup(2)))
        #expect(rig.fire() == [.signalGroup(15), rig.arm(.seconds(3)), .stateChanged])
        #expect(rig.fire() == [.sweepTree(9), rig.arm(.seconds(5)), .stateChanged])
        #expect(rig.now == Rig().now + .seconds(4))
        #expect(rig.child(.treeReport(survivors: 1)) == [rig.arm(.milliseconds(5)), .stateChanged])
        #expect(rig.exit(.killed).contains(.ended(survivors: 0)))
    }

    @Test func `without steps the tree is killed at once`() {
        var settings = UnitSettings.plain
        settings.stop = StopSequence(steps: [])
        var rig = Rig(settings)
        rig.start()
        #expect(rig.request(.down).contains(.sweepTree(9)))
    }

    @Test func `what the leader leaves behind has the rest of the step's time`() {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        rig.pass(.seconds(1))
        #expect(
            rig.exit(.terminated, .maybe) == [
                .death(1, .terminated, after: .seconds(1), requested: true), .sweepTree(0), rig.arm(.seconds(9)),
                .stateChanged,
            ])
        var pauses: [Duration] = []
        while rig.machine.phase == .stopping, pauses.count < 100 {
            let before = rig.now
            rig.child(.treeReport(survivors: 1))
            if rig.fire().contains(.sweepTree(9)) { break }
            pauses.append(rig.now - before)
        }
        #expect(Array(pauses.prefix(7)) == [5, 10, 20, 40, 80, 160, 200].map { Duration.milliseconds($0) })
        #expect(pauses.allSatisfy { $0 <= .milliseconds(200) })
        #expect(rig.now == Rig().now + .seconds(10))
        #expect(rig.child(.treeReport(survivors: 0)).contains(.ended(survivors: 0)))
    }

    @Test func `what outlives SIGKILL is reported after five seconds and tried again`() {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        rig.fire()
        let killed = rig.now
        rig.exit(.killed, .maybe)
        var tries = 0
        while rig.machine.phase == .stopping, tries < 100 {
            rig.child(.treeReport(survivors: 2))
            if rig.now - killed < .seconds(5) { rig.fire() }
            tries += 1
        }
        #expect(rig.now == killed + .seconds(5) && tries < 50)
        #expect(rig.machine.phase == .stuck && rig.machine.survivors == 2)
        #expect(rig.fire() == [.sweepTree(9), rig.arm(.seconds(10)), .stateChanged])
        #expect(
            rig.child(.treeReport(survivors: 0)) == [
                .cancelTimer, .ended(survivors: 0), .forget(incarnation: 1), .stateChanged,
            ])
    }

    @Test func `a stop of what is stuck is a new try with an answer of its own`() {
        var rig = stuck()
        #expect(
            rig.request(.down) == [.startOutcome(.superseded), .sweepTree(9), rig.arm(.seconds(5)), .stateChanged])
        rig.child(.treeReport(survivors: 0))
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a start of what is stuck says so, and happens once it is gone`() {
        var rig = stuck()
        #expect(rig.request(.up) == [.startOutcome(.failed(.blocked(survivors: 3))), .stateChanged])
        rig.child(.treeReport(survivors: 0))
        #expect(rig.machine.phase == .starting)
    }

    @Test func `a leader that SIGKILL does not end is a survivor`() {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        rig.fire()
        #expect(rig.fire() == [.ended(survivors: 1), rig.arm(.seconds(5)), .stateChanged])
        #expect(rig.exit(.killed).contains(.ended(survivors: 0)))
    }

    /// Three processes outlive SIGKILL.
    private func stuck() -> Rig {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        rig.exit(.terminated, .maybe)
        for _ in 0..<200 where rig.machine.phase != .stuck {
            rig.child(.treeReport(survivors: 3))
            rig.fire()
        }
        return rig
    }
}
