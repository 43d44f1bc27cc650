import Glibc
import JSON
import PMSystem

/// A gateway that a service manager runs: one file, the plan, has the points to serve, and the gateway writes its results into another,
/// the state. The state is there exactly as long as something is served, or could not be.
final class PlannedGateway {
    private let plan: String
    private let teller: StateReporter
    private let limits: GatewayLimits
    private let watch: DirectoryWatch

    /// Begins to watch the plan.
    ///
    /// - Throws: `SystemError` when its directory cannot be watched.
    init(plan: String, state: String, _ limits: GatewayLimits) throws(SystemError) {
        self.plan = plan
        self.limits = limits
        teller = StateReporter(state)
        watch = try DirectoryWatch()
        try watch.add(plan.lastIndex(of: "/").map { $0 == plan.startIndex ? "/" : String(plan[..<$0]) } ?? ".")
    }

    /// Serves what the plan says, until there is none or a signal comes.
    ///
    /// - Throws: `SystemError` when signals cannot be read, or an error of the loop.
    func run(until signals: borrowing SignalDescriptor) throws {
        var next = readPlan()
        while let text = next {
            let gateway = try serve(text)
            defer {
                gateway?.stop()
                teller.end()
            }
            repeat {
                GatewayProcess.wait(for: [signals.raw, watch.raw])
                if try GatewayProcess.isStopRequested(signals) { return }
                watch.drain()
                next = readPlan()
            } while next == text
        }
    }

    /// The plan as it is now; nil when there is none.
    private func readPlan() -> [UInt8]? {
        do throws(SystemError) {
            return try Files.read(plan, limit: 1 << 20)
        } catch {
            if error.code != ENOENT { GatewayLog().tell("cannot use the plan: \(error)") }
            return nil
        }
    }

    /// Starts to serve; nil when the plan is invalid, which is reported; the gateway then waits for another one.
    private func serve(_ text: [UInt8]) throws -> Gateway.Handle? {
        let words = (try? JSONValue(parsing: text))?.array?.compactMap(\.string) ?? []  // no words: told below
        var options: GatewayOptions
        do throws(GatewayOptions.Problem) {
            options = try GatewayOptions(words, in: "/")
            if options.wantsHelp || options.files != nil {
                throw GatewayOptions.Problem(description: "a plan may contain only --daemon and --listen")
            }
        } catch {
            let problem = "pm-gateway cannot use the plan \(plan): \(error)"
            GatewayLog().tell(problem)
            teller.tell([problem], of: words)
            return nil
        }
        options.limits = limits
        let teller = teller
        return try Gateway.start(options) { teller.tell($0, of: words) }
    }
}

/// Tells what is served: the daemon by a file, the service manager by its socket.
///
/// `@unchecked Sendable` holds because the loop alone uses it while there is one, and the main thread before and after.
private final class StateReporter: @unchecked Sendable {
    private let path: String
    private var last: JSONValue?

    init(_ path: String) {
        self.path = path
    }

    func tell(_ problems: [String], of words: [String]) {
        let state = JSONValue.object([
            "plan": .array(words.map { .string($0) }), "problems": .array(problems.map { .string($0) }),
        ])
        guard last != state else { return }
        last = state
        let status = problems.first ?? "serving"
        do throws(SystemError) {
            try Files.replace(path, with: state.serialized())
            try ServiceManager.tell(["READY=1", "STATUS=\(status.split(separator: "\n").joined(separator: " "))"])
        } catch {
            GatewayLog().tell("cannot write the state file: \(error)")
        }
    }

    /// Nothing is served any more.
    func end() {
        last = nil
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            GatewayLog().tell("cannot remove the state file: \(error)")
        }
    }
}
