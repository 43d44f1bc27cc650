import PMModel
import Testing

@testable import PMSupervisor

/// A stop of a service that has calls to answer.
struct DrainTests {
    @Test func `open calls are awaited before the service is asked to stop`() {
        var rig = Rig(.draining)
        rig.serve()
        #expect(
            rig.request(.down) == [
                .startOutcome(.superseded), .becameUnready, .drain, rig.arm(.seconds(10)), .stateChanged,
            ])
        #expect(rig.machine.phase == .stopping && rig.machine.desired == .down && rig.machine.pid == 100)
        rig.pass(.seconds(4))
        #expect(rig.child(.drained) == [.callStopCommand, rig.arm(.seconds(10)), .stateChanged])
        #expect(rig.child(.drained) == [])
    }

    @Test func `calls that are never answered delay a stop for their time alone`() {
        var settings = UnitSettings.draining
        settings.drain = .seconds(3)
        var rig = Rig(settings)
        rig.serve()
        let start = rig.now
        rig.request(.restart)
        #expect(rig.fire() == [.callStopCommand, rig.arm(.seconds(10)), .stateChanged])
        #expect(rig.now == start + .seconds(3))
        #expect(rig.child(.stopCommandFinished(.failed)).first == .signalGroup(15))
        #expect(rig.exit(.terminated).contains(.spawn(incarnation: 2)))
    }

    @Test func `a stop that hurries awaits no call, also when they are awaited already`() {
        for isDraining in [true, false] {
            var rig = Rig(.draining)
            rig.serve()
            if isDraining { rig.request(.down) }
            let actions = rig.request(.kill)
            #expect(actions.contains(.sweepTree(9)) && !actions.contains(.drain))
        }
    }

    @Test func `what does not serve, or has no calls, is stopped at once`() {
        var unready = Rig(.draining)
        unready.start()
        #expect(unready.request(.down).contains(.signalGroup(15)))
        var program = Rig()
        program.start()
        #expect(program.request(.down).contains(.signalGroup(15)))
        var mapping = Mapping(container: "web")
        mapping.drain = .zero
        var impatient = Rig(UnitSettings(mapping: mapping, isCommandable: true))
        impatient.serve()
        #expect(impatient.request(.down).contains(.callStopCommand))
    }

    @Test func `what a service leaves behind that dies meanwhile gets the signal at once`() {
        var rig = Rig(.draining)
        rig.serve()
        rig.request(.down)
        let actions = rig.exit(.crash, .maybe)
        #expect(actions.contains(.signalGroup(15)) && !actions.contains(.callStopCommand))
        #expect(rig.child(.treeReport(survivors: 0)).contains(.ended(survivors: 0)))
    }

    @Test func `the next daemon awaits the calls until the same time`() {
        var old = Rig(.draining)
        old.serve()
        old.request(.down)
        old.pass(.seconds(4))
        var rig = Rig(restoring: old)
        #expect(rig.send(.adopted(.running(pid: 100))) == [.drain, rig.arm(.seconds(6))])
        #expect(rig.child(.drained).first == .callStopCommand)
    }
}
