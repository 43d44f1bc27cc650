import PMModel
import PMSupervisor
import Testing

struct SnapshotTests {
    @Test func `the largest snapshot fits`() {
        var machine = Rig(.service)
        machine.machine.settings.restart.limit = 1_000
        machine.serve()
        for _ in 0..<60 {
            machine.exit(.crash)
            machine.fire()
            machine.child(.spawned(pid: 1))
            machine.pass(.milliseconds(7))
        }
        machine.child(.ready)
        machine.request(.down)
        let snapshot = machine.machine.snapshot
        #expect(snapshot.encode().count <= UnitSnapshot.maximumSize)
        #expect(UnitSnapshot(decoding: snapshot.encode()) == snapshot)
    }

    @Test func `the binary form is the documented one`() {
        var rig = Rig()
        rig.start()
        var expected: [UInt8] = [1]
        expected += [1, 0, 0, 0, 0, 0, 0, 0]  // incarnation
        expected += [0, 0, 0, 0, 0, 0, 0, 0]  // held
        expected += [0, 0, 0, 0]  // restarts
        expected += [0, 0, 0, 0]  // attempt, cooling, deaths
        expected += [2, 100, 0, 0, 0]  // up, pid
        expected += [0x00, 0x10, 0xA5, 0xD4, 0xE8, 0, 0, 0]  // started at 10^12 ns
        expected += [0, 0, 0, 0, 0, 0, 0, 0]  // ready
        #expect(rig.machine.snapshot.encode() == expected)
    }

    @Test func `anything but one whole snapshot is refused`() {
        var rig = Rig()
        rig.start()
        rig.exit(.crash)
        let bytes = rig.machine.snapshot.encode()
        for count in 0..<bytes.count { #expect(UnitSnapshot(decoding: Array(bytes.prefix(count))) == nil) }
        #expect(UnitSnapshot(decoding: bytes + [0]) == nil)
        #expect(UnitSnapshot(decoding: [2] + bytes.dropFirst()) == nil)
    }

    @Test func `bytes at random are refused or are a snapshot that works`() {
        var random = JitterSource(seed: 11)
        var accepted = 0
        for _ in 0..<20_000 {
            var rig = Rig(.service)
            rig.serve()
            rig.exit(.crash)
            var bytes = rig.machine.snapshot.encode()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let snapshot = UnitSnapshot(decoding: bytes) else { continue }
            accepted += 1
            var machine = UnitStateMachine(restoring: snapshot, settings: .service, seed: 1)
            let running = Bool.random(using: &random)
            let child = running ? AdoptedChild.running(pid: 1) : .exited(ExitReport(reason: .crash))
            for event in [UnitEvent.adopted(child), .request(.restart), .request(.down)] {
                _ = machine.handle(event, at: rig.now)
            }
            _ = machine.snapshot.encode()
        }
        #expect(accepted > 1_000)
    }
}
