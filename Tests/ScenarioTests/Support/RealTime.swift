import Glibc
import PMSystem
import PMTestSupport
import Testing

/// Serves processes before all others, where this user may: what is measured then is what pm does, and not how the
/// kernel shares out two processors to many programs. It shares between sessions first, so this is in real time.
enum RealTime {
    /// Whether this user may.
    static let isAllowed = getuid() == 0
    private static let command = ["chrt", "--all-tasks", "--rr", "--pid", "1"]
    /// How programs are started that get what time the others leave them.
    static let idle = ["chrt", "--idle", "0"]

    /// Lets processes be served before all others.
    static func prefer(_ processes: pid_t..., in project: TestProject) throws {
        guard isAllowed else { return }
        for process in processes {
            let outcome = try project.run(command + [String(process)])
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    /// Runs `body` in real time on this thread.
    static func run<T>(_ body: () throws -> T) throws -> T {
        guard isAllowed else { return try body() }
        var parameters = sched_param(sched_priority: 1)
        guard sched_setscheduler(0, SCHED_RR, &parameters) == 0 else { throw SystemError.last("sched_setscheduler") }
        defer {
            parameters.sched_priority = 0
            sched_setscheduler(0, SCHED_OTHER, &parameters)
        }
        return try body()
    }
}
