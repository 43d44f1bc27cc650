import Glibc
import PMSystem

/// The gateway as a process.
public enum GatewayProcess {
    /// Serves until a stop is requested, and returns its exit code.
    ///
    /// Call it from a synchronous `main`, before there are threads.
    public static func main(_ arguments: [String]) -> Int32 {
        // A peer that has gone is an error of the write.
        signal(SIGPIPE, SIG_IGN)
        do throws(GatewayOptions.Problem) {
            let options = try GatewayOptions(arguments, in: currentDirectory())
            if options.wantsHelp {
                GatewayLog.write(GatewayOptions.help, to: STDOUT_FILENO)
                return 0
            }
            return serve(options)
        } catch {
            GatewayLog.write("pm-gateway: \(error)\n", to: STDERR_FILENO)
            return 64
        }
    }

    private static func serve(_ options: GatewayOptions) -> Int32 {
        do {
            // Before the first thread is made, so that none of them is interrupted: this thread waits for them.
            let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
            if let files = options.files, let plan = files.plan, let state = files.state {
                let planned = try PlannedGateway(plan: plan, state: state, options.limits)
                try planned.run(until: signals)
                return 0
            }
            // A service manager that does not hear it says so itself.
            let gateway = try Gateway.start(options) { _ in try? ServiceManager.tell(["READY=1"]) }
            while try !isStopRequested(signals) { wait(for: [signals.raw]) }
            gateway.stop()
            return 0
        } catch {
            GatewayLog.write("pm-gateway: cannot start: \(error)\n", to: STDERR_FILENO)
            return 1
        }
    }

    /// True when a signal asks for the end. A hang-up, of a terminal or by habit, changes nothing: the gateway follows
    /// its plan and files without it.
    static func isStopRequested(_ signals: borrowing SignalDescriptor) throws(SystemError) -> Bool {
        while let arrival = try signals.next() {
            if arrival.signal != SIGHUP { return true }
        }
        return false
    }

    /// Waits until one of the descriptors is readable.
    static func wait(for descriptors: [Int32]) {
        var set = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // It fails with EINTR alone, and then the caller looks and waits again.
        poll(&set, nfds_t(set.count), -1)
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }
}
