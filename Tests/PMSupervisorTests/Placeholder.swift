import PMModel
import PMSupervisor
import Testing

@Test func `smoke`() {
    var m = UnitStateMachine(settings: UnitSettings(), seed: 1)
    var t = MonotonicTime(nanoseconds: 1_000_000_000)
    func go(_ e: UnitEvent) { let a = m.handle(e, at: t); print(e, "->", a, "\n   ", m.phase); #expect(UnitSnapshot(decoding: m.snapshot.encode()) == m.snapshot) }
    go(.wish(.up)); go(.child(.spawned(pid: 7), incarnation: 1))
    go(.child(.exited(ExitReport(reason: .signaled(signal: 9, dumpedCore: false))), incarnation: 1))
    go(.child(.spawned(pid: 8), incarnation: 2))
    go(.child(.exited(ExitReport(reason: .signaled(signal: 9, dumpedCore: false), leftovers: .maybe)), incarnation: 2))
    go(.child(.treeReport(survivors: 3), incarnation: 2))
    go(.wish(.up)); go(.wish(.down)); go(.wish(.up))
    go(.child(.treeReport(survivors: 0), incarnation: 2))
    go(.child(.spawned(pid: 8), incarnation: 3))
    go(.wish(.down))
    t = t + .seconds(11); go(.timerFired(token: m.snapshot.incarnation))
}
