import Glibc
import PMSystem
import PMTestSupport
import Testing

@Suite(.loop) struct ProcessorAlarmTests {
    private func program(_ script: String) throws -> Program {
        try Program(["/bin/sh", "-c", script], directory: "/", environment: [:])
    }

    /// Waits for the next alarm of a process.
    @PMActor private func use(
        of process: pid_t, _ time: Duration, _ alarms: ProcessorAlarms
    ) async throws {
        var id: ProcessorAlarms.ID?
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            do {
                id = try alarms.watch(process) { continuation.resume() }
            } catch {
                return continuation.resume(throwing: error)
            }
            if let id { alarms.arm(id, after: time) }
        }
        if let id { alarms.cancel(id) }
    }

    @Test @PMActor func `an alarm comes when a process has used so much, and none of one that sleeps`() async throws {
        let alarms = ProcessorAlarms(reactor: TestLoop.reactor)
        let busy = try program("while :; do :; done")
        let idle = try program("sleep 1000")
        defer {
            for program in [busy, idle] {
                program.signal(SIGKILL)
                _ = program.wait()
            }
        }
        var ofIdle = 0
        let id = try alarms.watch(idle.processID) { ofIdle += 1 }
        alarms.arm(id, after: .milliseconds(200))
        for _ in 0..<3 { try await use(of: busy.processID, .milliseconds(100), alarms) }
        #expect(ofIdle == 0)
        alarms.cancel(id)
    }

    @Test @PMActor func `a process that is not there has none`() {
        let alarms = ProcessorAlarms(reactor: TestLoop.reactor)
        #expect(throws: SystemError("timer_create", "process 999999999", code: ESRCH)) {
            _ = try alarms.watch(999_999_999) {}
        }
    }
}
