import Glibc
import PMAPI
import PMClient
import PMSystem

/// Runs what a plan says in the foreground.
struct ForegroundProcess {
    let plan: RunPlan
    let session: CommandContext

    static let forwarded = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT]

    /// Becomes the program: nothing stands between it and the terminal, its signals and its exit code.
    func replaceOurselves() throws(APIError) -> ExitCode {
        // execvpe(3) looks in our PATH: a service's own is in its environment.
        var program = ChildProcess(
            path: try lookUp(plan.path), arguments: plan.arguments, environment: plan.environment)
        program.directory = plan.directory
        do throws(SystemError) {
            try program.become()
        } catch {
            throw failure(error)
        }
    }

    func failure(_ error: SystemError) -> APIError {
        APIError(error, doing: "run \(plan.name)")
    }

    /// The path of a program in the `PATH` of the plan's environment.
    private func lookUp(_ program: String) throws(APIError) -> String {
        if program.utf8.contains(UInt8(ascii: "/")) { return program }
        let path = plan.environment.last { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? "/usr/local/bin:/bin:/usr/bin"
        for directory in path.split(separator: ":") where access("\(directory)/\(program)", X_OK) == 0 {
            return "\(directory)/\(program)"
        }
        if program == "node" {
            throw .notFound("there is no node in PATH (\(path))", hint: "install Node.js, or set PATH to its directory")
        }
        throw .notFound("there is no service, file or program \(program)", hint: "pm ls")
    }

    /// Runs a commandable service with a channel to us, passes signals on to it, and ends as it ends.
    func runHosted() throws(APIError) -> ExitCode {
        do throws(SystemError) {
            let signals = SignalWatch(try SignalDescriptor(Self.forwarded + [SIGCHLD]))
            let pair = try UnixSocket.pair()
            let channel = try HostChannel(pair.ours, name: plan.name)
            let pid = try start(pair.theirs)
            return end(as: try serve(channel, pid, signals))
        } catch {
            throw failure(error)
        }
    }

    func start(_ socket: SharedFD) throws(SystemError) -> pid_t {
        var child = ChildProcess(path: plan.path, arguments: plan.arguments, environment: plan.environment)
        child.directory = plan.directory
        child.descriptors = [0, 1, 2, socket.raw]
        return try child.start()
    }

    /// Serves the channel until the process has ended; its status as wait(2) gives it.
    private func serve(_ channel: HostChannel, _ pid: pid_t, _ signals: SignalWatch) throws(SystemError) -> Int32 {
        var isOpen = true
        while true {
            do throws(ClientError) {
                switch isOpen ? try channel.nextEvent(interrupt: signals.raw) : waitForSignal(signals) {
                case .ready: if session.isVerbose { session.note("\(plan.name) is ready") }
                case .closed: isOpen = false
                case .interrupted: break
                }
            } catch {
                // The host sent something invalid: it gets no more answers, and ends as it likes.
                session.note(error.report.message)
                isOpen = false
            }
            if let status = try forward(signals, to: pid) { return status }
        }
    }

    private func waitForSignal(_ signals: SignalWatch) -> HostChannel.Event {
        var set = pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0)
        poll(&set, 1, -1)
        return .interrupted
    }

    /// Passes signals on; the child's status when it has ended. What the kernel sends at ^C it sends to the child too.
    private func forward(_ signals: SignalWatch, to pid: pid_t) throws(SystemError) -> Int32? {
        while let arrival = signals.next() {
            if arrival.signal == SIGCHLD {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid { return status }
            } else if arrival.sender != 0 {
                kill(pid, arrival.signal)
            }
        }
        return nil
    }

    /// Ends this process as the child ended: by the same signal, or with the same code.
    func end(as status: Int32) -> ExitCode {
        let number = status & 0x7F
        if number != 0 {
            signal(number, SIG_DFL)
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, number)
            sigprocmask(SIG_UNBLOCK, &set, nil)
            // No second core file beside the child's.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            raise(number)
            exit(128 + number)
        }
        exit(status >> 8 & 0xFF)
    }
}
