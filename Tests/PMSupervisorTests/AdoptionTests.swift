import PMModel
import PMSupervisor
import Testing

/// What an earlier daemon began, a later one goes on with.
struct AdoptionTests {
    @Test func `ready stays ready, without a word to anyone who waits`() {
        var old = Rig(.service)
        old.serve()
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.running(pid: 100))) == [.becameReady])
        #expect(new.machine.isReady && new.machine.incarnation == 1 && new.machine.pid == 100)
    }

    @Test func `a service that was not ready has its whole deadline again`() {
        var old = Rig(.service)
        old.start()
        old.pass(.seconds(59))
        var new = Rig(restoring: old)
        #expect(
            new.send(.adopted(.running(pid: 100))) == [.beginReadiness, new.arm(.seconds(60)), .stateChanged])
    }

    @Test func `a spawn whose answer was lost is up`() {
        var old = Rig(.service)
        old.request(.up)
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.running(pid: 7))).contains(.beginReadiness))
        #expect(new.machine.pid == 7)
    }

    @Test func `a stop goes on at its step, with the time it had left`() {
        var old = Rig()
        old.start()
        old.request(.down)
        old.pass(.seconds(3))
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.running(pid: 100))) == [new.arm(.seconds(7))])
        #expect(new.fire().contains(.sweepTree(9)))
    }

    @Test func `a stop command is not called twice`() {
        var old = Rig(.service)
        old.serve()
        old.request(.down)
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.running(pid: 100))) == [new.arm(.seconds(10)), .stateChanged])
        #expect(new.fire().contains(.signalGroup(15)))
    }

    @Test func `an exit that nobody saw is processed as one`() {
        var old = Rig()
        old.start()
        old.pass(.seconds(3))
        var new = Rig(restoring: old)
        new.pass(.seconds(100))
        let report = ExitReport(reason: .crash, ranFor: .seconds(3))
        #expect(
            new.send(.adopted(.exited(report))) == [
                .death(1, .crash, after: .seconds(3)), .died(.crash, .restart(after: .zero)),
                .ended(survivors: 0), .spawn(incarnation: 2), .stateChanged,
            ])
    }

    @Test func `an exit that was asked for is the end of the stop`() {
        var old = Rig()
        old.start()
        old.request(.down)
        var new = Rig(restoring: old)
        #expect(
            new.send(.adopted(.exited(ExitReport(reason: .terminated)))) == [
                .death(1, .terminated, requested: true), .ended(survivors: 0), .forget(incarnation: 1), .stateChanged,
            ])
    }

    @Test func `a backoff goes on and its counters are kept`() {
        var old = Rig()
        old.start()
        old.exit(.crash)
        old.child(.spawned(pid: 8))
        old.exit(.crash)
        var new = Rig(restoring: old)
        #expect(new.machine.snapshot.record == 2)
        #expect(new.send(.adopted(.exited(ExitReport(reason: .crash)))).count == 1)
        #expect(new.timer?.at == old.timer?.at)
        #expect(new.fire() == [.spawn(incarnation: 3), .stateChanged])
        #expect(new.machine.restarts == 2 && new.machine.history.attempt == 2)
    }

    @Test func `the snapshot of a spawn that failed belongs to the last process there was`() {
        var rig = Rig()
        rig.start()
        rig.exit(.crash)
        #expect(rig.machine.snapshot.record == 2)
        rig.child(.spawnFailed(.exec))
        #expect(rig.machine.phase == .backingOff && rig.machine.incarnation == 2)
        #expect(rig.machine.snapshot.record == 1)
    }

    @Test func `a backoff that ended meanwhile starts at once`() {
        var old = Rig()
        old.start()
        old.exit(.crash)
        old.child(.spawned(pid: 8))
        old.exit(.crash)
        old.pass(.seconds(1))
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.exited(ExitReport(reason: .crash)))) == [.spawn(incarnation: 3), .stateChanged])
    }

    @Test func `a sweep goes on`() {
        var old = Rig()
        old.start()
        old.exit(.crash, .maybe)
        old.pass(.seconds(3))
        var new = Rig(restoring: old)
        #expect(
            new.send(.adopted(.exited(ExitReport(reason: .crash, leftovers: .maybe)))) == [
                .sweepTree(9), new.arm(.seconds(5)), .stateChanged,
            ])
    }

    @Test func `leftovers of a stop that were being waited for are counted again`() {
        var old = Rig()
        old.start()
        old.request(.down)
        old.exit(.terminated, .maybe)
        var new = Rig(restoring: old)
        #expect(
            new.send(.adopted(.exited(ExitReport(reason: .terminated, leftovers: .maybe)))) == [
                .sweepTree(0), new.arm(.seconds(10)),
            ])
    }

    @Test func `a child that should not be there is killed before anything else`() {
        var old = Rig()
        old.start()
        old.exit(.crash)
        old.child(.spawned(pid: 8))
        old.exit(.crash)
        var new = Rig(restoring: old)
        #expect(new.send(.adopted(.running(pid: 8))).first == .sweepTree(9))
        new.child(.treeReport(survivors: 0))
        #expect(new.machine.phase == .backingOff)
    }

    @Test func `a record that was about to be forgotten is`() {
        var rig = Rig()
        #expect(
            rig.send(.adopted(.exited(ExitReport(reason: .clean)))) == [.forget(incarnation: rig.machine.incarnation)])
    }
}
