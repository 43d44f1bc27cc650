import PMModel
import PMSupervisor
import Testing

/// Start, readiness, death and restart of one instance.
struct LifeTests {
    @Test func `an ordinary program is ready by its start`() {
        var rig = Rig()
        #expect(rig.request(.up) == [.spawn(incarnation: 1), .stateChanged])
        #expect(rig.machine.phase == .starting && rig.machine.desired == .up && !rig.machine.isReady)
        #expect(
            rig.child(.spawned(pid: 7)) == [
                .startOutcome(.spawned), .becameReady, .startOutcome(.ready), .stateChanged,
            ])
        #expect(rig.machine.pid == 7 && rig.machine.startedAt == rig.now && rig.machine.isReady)
        #expect(rig.timer == nil)
    }

    @Test func `a service is ready when it says so`() {
        var rig = Rig(.service)
        rig.request(.up)
        #expect(
            rig.child(.spawned(pid: 7)) == [
                .startOutcome(.spawned), .beginReadiness, rig.arm(.seconds(60)), .stateChanged,
            ])
        #expect(rig.machine.phase == .up && !rig.machine.isReady)
        #expect(
            rig.child(.ready) == [
                .endReadiness, .cancelTimer, .becameReady, .startOutcome(.ready), .stateChanged,
            ])
        #expect(rig.machine.isReady)
        #expect(rig.child(.ready) == [])
    }

    @Test func `the first death is answered at once, the record of the dead kept until its successor runs`() {
        var rig = Rig()
        rig.start()
        rig.pass(.seconds(2))
        #expect(
            rig.exit(.killed) == [
                .becameUnready, .death(1, .killed, after: .seconds(2)), .died(.killed, .restart(after: .zero)),
                .ended(survivors: 0), .spawn(incarnation: 2), .stateChanged,
            ])
        #expect(rig.child(.spawned(pid: 8)).first == .forget(incarnation: 1))
        #expect(rig.machine.restarts == 1 && rig.machine.held == nil)
    }

    @Test func `later deaths are answered after a pause`() {
        var rig = Rig()
        rig.start()
        rig.exit(.crash)
        rig.child(.spawned(pid: 8))
        rig.exit(.crash)
        guard case .backingOff(let until) = rig.machine.state else { return #expect(Bool(false), "not backing off") }
        #expect(until >= rig.now + .milliseconds(100) && until <= rig.now + .milliseconds(200))
        #expect(rig.timer?.at == until && rig.machine.desired == .up)
        #expect(rig.fire() == [.spawn(incarnation: 3), .stateChanged])
    }

    @Test func `ten deaths in a minute begin the cooling, a long run ends it`() {
        var rig = Rig()
        rig.start()
        for incarnation in 2...10 {
            rig.exit(.crash)
            rig.fire()
            rig.child(.spawned(pid: Int32(incarnation)))
        }
        #expect(rig.exit(.crash).contains(.died(.crash, .cool(for: .seconds(60)))))
        #expect(rig.machine.phase == .cooling && rig.machine.state == .cooling(until: rig.now + .seconds(60)))
        rig.fire()
        rig.child(.spawned(pid: 50))
        rig.pass(.seconds(9))
        rig.exit(.crash)
        #expect(rig.machine.phase == .cooling)
        rig.fire()
        rig.child(.spawned(pid: 51))
        rig.pass(.seconds(10))
        #expect(rig.exit(.crash).contains(.died(.crash, .restart(after: .zero))))
    }

    @Test(arguments: [UnitRequest.up, .restart])
    func `a manual start ends backoff and cooling at once and clears the counters`(request: UnitRequest) {
        var rig = Rig()
        rig.start()
        for _ in 1...9 {
            rig.exit(.crash)
            rig.fire()
            rig.child(.spawned(pid: 9))
        }
        rig.exit(.crash)
        #expect(rig.machine.phase == .cooling && rig.machine.restarts == 9)
        #expect(rig.request(request) == [.cancelTimer, .spawn(incarnation: 11), .stateChanged])
        #expect(rig.machine.restarts == 0)
        rig.child(.spawned(pid: 10))
        #expect(rig.exit(.crash).contains(.died(.crash, .restart(after: .zero))))
    }

    @Test func `a death that the policy does not answer leaves it down, still wanted`() {
        var rig = Rig(.plain.with(.never))
        rig.start()
        #expect(
            rig.exit(.crash) == [
                .becameUnready, .death(1, .crash), .died(.crash, .stayDown), .ended(survivors: 0),
                .forget(incarnation: 1), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.finished) && rig.machine.desired == .up)
        #expect(rig.request(.up) == [.spawn(incarnation: 2), .stateChanged])
    }

    @Test func `a clean exit is final by default`() {
        var rig = Rig()
        rig.start()
        rig.exit(.clean)
        #expect(rig.machine.state == .down(.finished))
    }

    @Test func `a failed spawn is a death`() {
        var rig = Rig()
        rig.request(.up)
        let reason = ExitReason.spawnFailed(.chdir)
        #expect(
            rig.child(.spawnFailed(.chdir)) == [
                .death(1, reason), .died(reason, .restart(after: .zero)), .ended(survivors: 0),
                .spawn(incarnation: 2), .stateChanged,
            ])
    }

    @Test func `a start that cannot succeed is given up, and the request stays`() {
        var rig = Rig(.plain.with(.always))
        rig.request(.up)
        let reason = ExitReason.spawnFailed(.tooLong)
        #expect(
            rig.child(.spawnFailed(.tooLong)) == [
                .death(1, reason), .died(reason, .giveUp), .ended(survivors: 0), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.finished) && rig.machine.desired == .up)
        #expect(rig.request(.up) == [.spawn(incarnation: 2), .stateChanged])
    }

    @Test func `leftovers of a death are killed before the next spawn`() {
        var rig = Rig()
        rig.start()
        #expect(
            rig.exit(.crash, .maybe) == [
                .becameUnready, .death(1, .crash), .died(.crash, .restart(after: .zero)), .sweepTree(9),
                rig.arm(.seconds(5)), .stateChanged,
            ])
        #expect(rig.machine.phase == .sweeping)
        #expect(rig.child(.treeReport(survivors: 2)) == [rig.arm(.milliseconds(5)), .stateChanged])
        #expect(rig.fire() == [.sweepTree(9), rig.arm(.milliseconds(4_995))])
        #expect(
            rig.child(.treeReport(survivors: 0)) == [
                .cancelTimer, .ended(survivors: 0), .spawn(incarnation: 2), .stateChanged,
            ])
    }

    @Test func `a service that misses its readiness deadline is stopped and counts as dead`() {
        var rig = Rig(.service)
        rig.start()
        let reason = ExitReason.notReady(deadline: .seconds(60))
        #expect(
            rig.fire() == [
                .endReadiness, .died(reason, .restart(after: .zero)), .signalGroup(15), rig.arm(.seconds(10)),
                .stateChanged,
            ])
        #expect(rig.machine.phase == .stopping && rig.machine.desired == .up)
        rig.pass(.seconds(1))
        #expect(
            rig.exit(.terminated) == [
                .death(1, reason, after: .seconds(61)), .cancelTimer, .ended(survivors: 0), .spawn(incarnation: 2),
                .stateChanged,
            ])
    }

    @Test func `a service that is never ready backs off although each run is long`() {
        var rig = Rig(.service)
        rig.start()
        rig.fire()
        rig.exit(.terminated)
        rig.child(.spawned(pid: 8))
        rig.fire()
        rig.exit(.terminated)
        #expect(rig.machine.phase == .backingOff)
    }

    @Test func `a death before ready ends the readiness check`() {
        var rig = Rig(.service)
        rig.start()
        #expect(rig.exit(.crash).prefix(2) == [.endReadiness, .cancelTimer])
    }

    @Test func `starting what runs only answers`() {
        var rig = Rig(.service)
        rig.start()
        #expect(rig.request(.up) == [.startOutcome(.spawned)])
        rig.child(.ready)
        #expect(rig.request(.up) == [.startOutcome(.ready)])
    }

    @Test func `a timer that was replaced and a child that is gone mean nothing`() {
        var rig = Rig(.service)
        rig.start()
        let stale = rig.timer?.token ?? 0
        rig.child(.ready)
        let before = rig.machine
        #expect(rig.send(.timerFired(token: stale)) == [])
        #expect(rig.send(.timerFired(token: 99)) == [])
        for incarnation in [UInt64(0), 2] {
            let report = ExitReport(reason: .crash)
            #expect(rig.send(.child(.exited(report), incarnation: incarnation)) == [])
        }
        #expect(rig.machine == before)
    }
}
