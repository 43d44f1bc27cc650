import PMLogs
import PMModel
import PMSystem

/// One run of a program that checks a unit, or is a hook of it: with its user, its sandbox, its limits and its environment, in a
/// process tree of its own.
///
/// It passes with exit status 0. pm-init starts it like a unit; it has no record, so a new daemon ends what an earlier one
/// has left.
@PMActor
final class ExecAttempt: ProbeAttempt {
    /// What the program is for.
    enum Purpose {
        /// A check of the unit. There is one at a time.
        case check(RunOptions)
        /// A hook, with its environment and what it gets on standard input.
        case hook(LaunchEnvironment, input: [UInt8])

        fileprivate var word: String {
            switch self {
            case .check: "check"
            case .hook: "hook"
            }
        }
    }

    private let words: [String]
    private let unit: Unit
    private let purpose: Purpose
    private let context: Instance.Context
    private unowned let supervisor: Supervisor
    private var done: (@PMActor (ProbeResult) -> Void)?
    private var child: UInt64?
    private var hasExited = false
    private var sweeps = 0
    private var output: SharedFD?
    /// The beginning of what it wrote, for the status.
    private var text: [UInt8] = []
    private static let longestText = 1024

    init(_ words: [String], of instance: Instance) {
        self.words = words
        unit = instance.unit
        purpose = .check(RunOptions(arguments: instance.options.arguments))
        context = instance.context
        supervisor = instance.supervisor
    }

    /// A hook of a unit, which need not be running.
    init(_ order: HookOrder, _ context: Instance.Context, _ supervisor: Supervisor) {
        (words, unit) = (order.words, order.unit)
        purpose = .hook(order.environment, input: order.input)
        (self.context, self.supervisor) = (context, supervisor)
    }

    /// True while the one before is on its way out. No second check is put beside it, even if not even SIGKILL ends it.
    private var mustWait: Bool {
        guard case .check = purpose else { return false }
        return supervisor.checks.values.contains { other in
            if case .check = other.purpose { other.unit.name == unit.name } else { false }
        }
    }

    func start(_ done: @escaping @PMActor (ProbeResult) -> Void) {
        self.done = done
        queue()
    }

    private func queue() {
        context.holder.whenItsTurn { [weak self, context] _ in
            guard let self, self.done != nil else { return context.holder.spawnDone() }
            spawn()
        }
    }

    /// Its processes end without a result.
    func cancel() {
        done = nil
        guard let child else { return }
        kill(child)
    }

    private func spawn() {
        guard !mustWait else {
            context.holder.spawnDone()
            context.reactor.after(.milliseconds(50)) { [weak self] in if self?.done != nil { self?.queue() } }
            return
        }
        let child = context.holder.nextChild()
        do throws(SpawnFailure) {
            var request = try prepare(child)
            let pipe = try SpawnFailure.of(.pipes, Pipe.make)
            let input = try SpawnFailure.of(.pipes) { () throws(SystemError) in try standardInput() }
            request.childDescriptors = [input, pipe.writing, pipe.writing]
            try SpawnFailure.of(.order) { () throws(SystemError) in
                try context.reactor.watch(pipe.reading.raw, .readable) { [weak self] _ in self?.read() }
                output = pipe.reading
                try context.holder.channel.spawn(request)
            }
            self.child = child
            supervisor.register(self, child: child)
        } catch {
            context.holder.spawnDone()
            context.confinement.discard(child)
            closeOutput()
            let cause = error.code == 0 ? "" : ": " + SystemError("", "", code: error.code).reason
            finish(.failed("the \(purpose.word) cannot be started: \(error.step.word) \(error.object)\(cause)"))
        }
    }

    private func prepare(_ child: UInt64) throws(SpawnFailure) -> SpawnRequest {
        var launch = try launch()
        launch.environment.removeAll { $0.isOfChannel }
        var request = SpawnRequest(
            id: child, path: words[0], arguments: words, directory: launch.invocation.directory)
        request.environment = launch.environment
        request.cgroup = context.holder.cgroup(of: child)
        request.stop = InitStop(order: 0, signal: 9, waitMilliseconds: 0)
        _ = try context.confinement.apply(unit, launch, to: &request)
        return request
    }

    private func launch() throws(SpawnFailure) -> Launch {
        switch purpose {
        case .check(let options):
            var launch = try context.runtime.launch(unit, options)
            launch.invocation = Invocation(
                executable: words[0], arguments: words, directory: launch.invocation.directory)
            return launch
        case .hook(let around, _):
            // Its unit need not be one that can be started.
            let invocation = Invocation(executable: words[0], arguments: words, directory: unit.directory)
            return Launch(
                invocation: invocation, environment: around.environment, channel: .none, identity: around.identity)
        }
    }

    private func standardInput() throws(SystemError) -> SharedFD {
        switch purpose {
        case .check: try context.holder.null()
        case .hook(_, let bytes): try MemoryFile.input(bytes, named: "pm-event")
        }
    }

    // MARK: pm-init's messages

    /// The program never ran.
    func spawnFailed(_ error: SpawnError) {
        guard let child else { return }
        context.confinement.discard(child)
        forget(child)
        let reason = SystemError("exec", words[0], code: error.code).reason
        finish(.failed("\(words[0]) cannot be executed: \(reason)"))
    }

    /// The program has ended; what it leaves behind is ended too.
    func exited(_ exit: ChildExit) {
        guard let child else { return }
        hasExited = true
        read()
        if exit.mayHaveLeftovers { kill(child) } else { leave(child) }
        switch exit.reason {
        case .exited(code: 0): finish(.passed)
        case let reason: finish(.failed("\(words[0]): \(reason.short)\(line.map { ": \($0)" } ?? "")"))
        }
    }

    /// The rest of its tree after SIGKILL.
    func tree(survivors: Int) {
        guard hasExited, let child else { return }
        // What outlives SIGKILL for this long is left to pm-init.
        guard survivors > 0, sweeps < Self.mostSweeps else { return leave(child) }
        sweeps += 1
        context.reactor.after(.milliseconds(50)) { if self.child == child { self.kill(child) } }
    }

    private static let mostSweeps = 20

    // MARK: output

    private func read() {
        guard let output else { return }
        for _ in 0..<Self.readsATurn {
            switch Descriptors.read(output.raw, limit: 4096) {
            case .nothing: return
            case .end: return closeOutput()
            case .bytes(let bytes): text += bytes.prefix(Self.longestText - text.count)
            }
        }
    }

    private static let readsATurn = 16

    private func closeOutput() {
        if let output { context.reactor.unwatch(output.raw) }
        output = nil
    }

    /// The last line that it wrote.
    private var line: String? {
        String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).last.map { String($0.prefix(200)) }
    }

    // MARK: its end

    private func finish(_ result: ProbeResult) {
        let body = done
        done = nil
        body?(result)
    }

    private func kill(_ child: UInt64) {
        supervisor.attempt("end a \(purpose.word) of \(unit.name)") { () throws(SystemError) in
            try context.holder.channel.signal(child, 9, .tree)
        }
    }

    private func leave(_ child: UInt64) {
        forget(child)
        supervisor.attempt("forget a \(purpose.word) of \(unit.name)") { () throws(SystemError) in
            try context.holder.channel.forget(child)
        }
    }

    private func forget(_ child: UInt64) {
        closeOutput()
        self.child = nil
        supervisor.unregister(child: child)
    }
}

extension String {
    /// True for variables by which a program finds the channel of its service.
    fileprivate var isOfChannel: Bool {
        [HostVariable.channelDescriptor.set(to: ""), HostVariable.connect.set(to: ""), "NODE_CHANNEL_FD="]
            .contains { hasPrefix($0) } || hasPrefix("NODE_CHANNEL_SERIALIZATION_MODE=")
    }
}

extension ExitReason {
    /// How a check ended that did not pass.
    fileprivate var short: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signaled(let signal, _): SignalName.name(of: signal)
        case .memory, .spawnFailed, .notReady, .unresponsive: "it did not run to its end"
        }
    }
}
