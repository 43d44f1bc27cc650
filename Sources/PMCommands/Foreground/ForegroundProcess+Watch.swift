import Glibc
import PMAPI
import PMClient
import PMModel
import PMSystem

extension ForegroundProcess {
    /// Time for the service to end before a new one starts.
    private static let stopTime = Duration.seconds(5)

    /// What becomes of the service when its process has ended.
    private enum Goal {
        /// It ended by itself: the next change of a file starts it.
        case run
        /// A file has changed: it starts at once.
        case restart
        /// The user ends it.
        case end
    }

    /// How a process of the service ended.
    private struct End {
        let status: Int32
        let goal: Goal
    }

    /// Runs a commandable service with a channel to us, and starts it again when a source file of its package changes. Node's own
    /// `--watch` cannot do that: it gives the program a channel of its own in the place of ours.
    func runWatched() throws(APIError) -> ExitCode {
        do throws(SystemError) {
            let sources = try SourceWatch(packageOf: plan.entry, inside: plan.root)
            let signals = SignalWatch(try SignalDescriptor(Self.forwarded + [SIGCHLD]))
            let changes = try WaitGroup([signals.raw, sources.raw])
            if session.isVerbose { session.note("watching \(sources.folder)") }
            while true {
                let pair = try UnixSocket.pair()
                let channel = try HostChannel(pair.ours, name: plan.name)
                let pid = try start(pair.theirs)
                let ended = try serve(channel, pid, (signals, sources), changes.raw)
                switch ended.goal {
                case .end: return end(as: ended.status)
                case .restart: session.note("\(plan.name) starts again: a file has changed")
                case .run:
                    session.note(
                        "\(plan.name) has ended, \(Self.words(for: ended.status)); it starts again when a file changes")
                    if let signal = try waitForChange(signals, sources, changes.raw) { return end(as: signal) }
                }
            }
        } catch {
            throw failure(error)
        }
    }

    /// Serves the channel until the process has ended.
    private func serve(
        _ channel: HostChannel, _ pid: pid_t, _ watched: (signals: SignalWatch, sources: SourceWatch), _ changes: Int32
    ) throws(SystemError) -> End {
        var isOpen = true
        var goal = Goal.run
        while true {
            do throws(ClientError) {
                switch isOpen ? try channel.nextEvent(interrupt: changes) : Self.wait(changes) {
                case .ready: session.note("\(plan.name) is ready")
                case .closed: isOpen = false
                case .interrupted: break
                }
            } catch {
                // The host sent something invalid: it gets no more answers, and ends as it likes.
                session.note(error.report.message)
                isOpen = false
            }
            if let status = forward(watched.signals, to: pid, &goal) { return End(status: status, goal: goal) }
            if goal == .run, try watched.sources.hasChanged() {
                goal = .restart
                return End(status: stop(pid, watched.signals, &goal), goal: goal)
            }
        }
    }

    private static func wait(_ descriptor: Int32, _ milliseconds: Int32 = -1) -> HostChannel.Event {
        var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&set, 1, milliseconds)
        return .interrupted
    }

    /// Passes signals on; the child's status when it has ended.
    private func forward(_ signals: SignalWatch, to pid: pid_t, _ goal: inout Goal) -> Int32? {
        while let arrival = signals.next() {
            if arrival.signal == SIGCHLD {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid { return status }
                continue
            }
            if Self.endings.contains(arrival.signal) { goal = .end }
            // What the kernel sends at ^C it sends to the child too.
            if arrival.sender != 0 { kill(pid, arrival.signal) }
        }
        return nil
    }

    private static let endings = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

    /// Ends the process, by force when it takes too long; its status as wait(2) gives it.
    private func stop(_ pid: pid_t, _ signals: SignalWatch, _ goal: inout Goal) -> Int32 {
        kill(pid, SIGTERM)
        let limit = session.clock.monotonic() + Self.stopTime
        while true {
            let remaining = (limit - session.clock.monotonic()).milliseconds
            if remaining <= 0 { kill(pid, SIGKILL) }
            _ = Self.wait(signals.raw, remaining > 0 ? Int32(clamping: remaining) : -1)
            if let status = forward(signals, to: pid, &goal) { return status }
        }
    }

    /// Waits for a change of a source file; a signal that ends pm comes first, as a wait status.
    private func waitForChange(
        _ signals: SignalWatch, _ sources: SourceWatch, _ changes: Int32
    ) throws(SystemError) -> Int32? {
        while true {
            _ = Self.wait(changes)
            while let arrival = signals.next() {
                if Self.endings.contains(arrival.signal) { return arrival.signal }
            }
            if try sources.hasChanged() { return nil }
        }
    }

    private static func words(for status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "exit code \(status >> 8 & 0xFF)" : SignalName.name(of: signal)
    }
}
