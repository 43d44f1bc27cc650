import PMModel
import PMSupervisor
import Testing

/// Wishes that cross: the later one wins, and the earlier one is answered.
struct UnitRequestTests {
    @Test func `a restart stops and starts`() {
        var rig = Rig()
        rig.start()
        #expect(
            rig.request(.restart) == [.becameUnready, .signalGroup(15), rig.arm(.seconds(10)), .stateChanged])
        #expect(rig.machine.desired == .up)
        #expect(rig.exit(.terminated).suffix(3) == [.ended(survivors: 0), .spawn(incarnation: 2), .stateChanged])
        #expect(rig.machine.restarts == 0)
    }

    @Test func `a restart of what is down is a start`() {
        var rig = Rig()
        #expect(rig.request(.restart) == [.spawn(incarnation: 1), .stateChanged])
    }

    @Test func `a start during a stop is remembered`() {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        #expect(rig.request(.up) == [.stateChanged])
        #expect(rig.machine.desired == .up && rig.machine.phase == .stopping)
        #expect(rig.exit(.terminated).suffix(3) == [.ended(survivors: 0), .spawn(incarnation: 2), .stateChanged])
    }

    @Test func `stop, start, stop ends down and answers the start`() {
        var rig = Rig()
        rig.start()
        rig.request(.down)
        rig.request(.up)
        #expect(rig.request(.down) == [.startOutcome(.superseded), .stateChanged])
        rig.exit(.terminated)
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a stop before the spawn is answered ends the process once it is there`() {
        var rig = Rig(.service)
        rig.request(.up)
        #expect(rig.request(.down) == [.startOutcome(.superseded), .stateChanged])
        #expect(rig.machine.desired == .down)
        #expect(rig.child(.spawned(pid: 7)) == [.signalGroup(15), rig.arm(.seconds(10)), .stateChanged])
        rig.exit(.terminated)
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a stop before a spawn that fails is done`() {
        var rig = Rig()
        rig.request(.up)
        rig.request(.down)
        #expect(
            rig.child(.spawnFailed(.exec)) == [
                .death(1, .spawnFailed(.exec), requested: true), .ended(survivors: 0), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `stop then start before the spawn is answered is a restart`() {
        var rig = Rig()
        rig.request(.up)
        rig.request(.down)
        #expect(rig.request(.up) == [.stateChanged])
        rig.child(.spawned(pid: 7))
        #expect(rig.machine.phase == .stopping)
        #expect(rig.exit(.terminated).contains(.spawn(incarnation: 2)))
    }

    @Test func `a restart before a spawn that fails tries again at once`() {
        var rig = Rig()
        rig.request(.up)
        rig.request(.restart)
        #expect(rig.child(.spawnFailed(.exec)).contains(.spawn(incarnation: 2)))
    }

    @Test func `a start that is under way has an end, and is then one that is never ready`() {
        var rig = Rig()
        rig.request(.up)
        #expect(rig.child(.starting(pid: 7)) == [rig.arm(UnitSettings.plain.readyDeadline)])
        let actions = rig.fire()
        #expect(actions.contains(.sweepTree(9)) && rig.machine.phase == .stopping && rig.machine.pid == 7)
        #expect(
            actions.contains { if case .startOutcome(.failed(.died(.notReady, _))) = $0 { true } else { false } })
        let ended = rig.child(.spawnFailed(.executor))
        #expect(ended.contains(.ended(survivors: 0)) && ended.contains(.spawn(incarnation: 2)))
    }

    @Test func `a stop of a start that is under way waits a second for it, and then kills it`() {
        var rig = Rig()
        rig.request(.up)
        rig.child(.starting(pid: 7))
        #expect(rig.request(.down) == [.startOutcome(.superseded), rig.arm(.seconds(1)), .stateChanged])
        #expect(rig.fire().contains(.sweepTree(9)))
        #expect(rig.child(.treeReport(survivors: 1)).last == .stateChanged)
        #expect(
            rig.child(.spawnFailed(.executor)) == [
                .death(1, .spawnFailed(.executor), requested: true), .cancelTimer, .ended(survivors: 0), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a start that comes to its end in time is stopped as any other`() {
        var rig = Rig()
        rig.request(.up)
        rig.child(.starting(pid: 7))
        rig.request(.down)
        #expect(rig.child(.spawned(pid: 7)).contains(.signalGroup(15)))
        rig.exit(.terminated)
        #expect(rig.machine.state == .down(.stopped) && rig.timer == nil)
    }

    @Test func `a start under way that was killed too late is ended as a running one, and both records go`() {
        var rig = Rig()
        rig.start()
        rig.exit(.crash)
        rig.fire()
        rig.child(.starting(pid: 8))
        rig.request(.down)
        rig.fire()
        #expect(rig.child(.spawned(pid: 8)) == [])
        let actions = rig.exit(.killed)
        #expect(actions.contains(.forget(incarnation: 1)) && actions.contains(.forget(incarnation: 2)))
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a stop of what hangs in the kernel while it starts is answered, too`() {
        var rig = Rig()
        rig.request(.up)
        rig.child(.starting(pid: 7))
        rig.request(.down)
        var answer: UnitAction?
        for _ in 0..<100 where answer == nil {
            answer = rig.fire().first { if case .ended = $0 { true } else { false } }
            rig.child(.treeReport(survivors: 1))
        }
        #expect(answer == .ended(survivors: 1) && rig.machine.phase == .stuck)
    }

    @Test(arguments: [10, 2]) func `a stop while waiting for a restart is immediate`(deaths: Int) {
        var rig = Rig()
        rig.start()
        for _ in 1..<deaths {
            rig.exit(.crash)
            rig.fire()
            rig.child(.spawned(pid: 9))
        }
        rig.exit(.crash)
        #expect(rig.machine.phase == (deaths == 10 ? .cooling : .backingOff))
        #expect(
            rig.request(.down) == [
                .startOutcome(.superseded), .cancelTimer, .ended(survivors: 0),
                .forget(incarnation: UInt64(deaths)), .stateChanged,
            ])
        #expect(rig.machine.state == .down(.stopped) && rig.timer == nil)
    }

    @Test func `a stop of what is down is answered at once, and ends its being wanted`() {
        var rig = Rig()
        #expect(rig.request(.down) == [.startOutcome(.superseded), .ended(survivors: 0), .stateChanged])
        #expect(rig.request(.down) == [.startOutcome(.superseded), .ended(survivors: 0)])
        rig.start()
        rig.exit(.clean)
        rig.request(.down)
        #expect(rig.machine.desired == .down)
    }

    @Test func `a stop while leftovers are swept is done when they are gone`() {
        var rig = Rig()
        rig.start()
        rig.exit(.crash, .maybe)
        #expect(rig.request(.down) == [.startOutcome(.superseded), .stateChanged])
        #expect(rig.child(.treeReport(survivors: 0)).contains(.ended(survivors: 0)))
        #expect(rig.machine.state == .down(.stopped))
    }

    @Test func `a start while leftovers are swept skips the backoff`() {
        var rig = Rig(.plain.with(.never))
        rig.start()
        rig.exit(.crash, .maybe)
        rig.request(.up)
        #expect(rig.child(.treeReport(survivors: 0)).contains(.spawn(incarnation: 2)))
    }
}
