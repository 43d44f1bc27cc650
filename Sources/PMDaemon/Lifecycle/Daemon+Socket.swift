import PMConfig
import PMModel
import PMSystem

extension Daemon {
    /// The socket of an earlier daemon, if clients can still reach it.
    var heldSocket: SharedFD? {
        // Where the file cannot be looked up, listening says why.
        guard (try? Files.entry(parts.options.socket))?.kind == .socket else { return nil }  // as said
        return held.socket
    }

    func listen() throws(SystemError) -> SharedFD {
        let options = parts.options
        let directory = options.socket.lastIndex(of: "/").map { String(options.socket[..<$0]) } ?? "."
        if options.scope != .project {
            try Files.makeDirectories(directory, mode: options.scope == .system ? 0o755 : 0o700)
        }
        let socket = SharedFD(try UnixSocket.listen(options.socket, mode: 0o660, group: parts.access.group))
        try parts.holder.channel.hold(HeldDescriptors.socketName, socket)
        return socket
    }

    func watchSocketFile() {
        // The file of a service manager's socket is not ours.
        guard held.activated == nil else { return }
        socketFile = try? Files.entry(parts.options.socket)  // without it the next look makes another one
        let watch = SocketFileWatch(parts.options.socket, reactor: reactor) { [weak self] in self?.listenAgain() }
        parts.supervisor.attempt("watch the socket's file") { () throws(SystemError) in try watch.start() }
        socketWatch = watch
    }

    /// Time between two tries to make the socket's file again.
    private static var listenPause: Duration { .seconds(5) }

    /// Listens at a new file, because somebody removed the one before. Connections stay.
    func listenAgain(isRetry: Bool = false) {
        if let listenRetry { reactor.cancel(listenRetry) }
        listenRetry = nil
        guard parts.lifecycle.phase == .serving else { return }
        do throws(SystemError) {
            let socket = try listen()
            listener?.close()
            held.socket = socket
            listener = try Listener(socket, reactor: reactor, parts.admission.callbacks)
            log.trouble("somebody removed the file \(parts.options.socket); it is there again")
            watchSocketFile()
        } catch {
            if !isRetry {
                log.trouble("somebody removed the file \(parts.options.socket), and no client can connect: \(error)")
            }
            listenRetry = reactor.after(Self.listenPause) { [weak self] in self?.listenAgain(isRetry: true) }
        }
    }

    /// Looks after the file of the configuration, its folder and the socket in it.
    func watchConfiguration() {
        let watch = ConfigWatch(parts.options.config, reactor: reactor) { [log] in
            log.trouble($0)
        } onChange: { [weak self] in
            self?.configurationFileChanged()
        }
        watch.start()
        configWatch = watch
    }

    private func configurationFileChanged() {
        guard parts.lifecycle.phase == .serving else { return }
        parts.units.source.whenCurrent { [weak self] in
            self?.tellFaults()
            self?.checkSocketFile()
        }
    }

    /// Says once when the file cannot be used any more, and when it can be again.
    private func tellFaults() {
        let faults = parts.units.source.faults
        if faults != toldFaults {
            toldFaults = faults
            for fault in faults { log.trouble(fault) }
            if faults.isEmpty {
                log.tell("\(parts.options.config) can be used again, and is")
            } else {
                log.trouble("pm goes on with the configuration before")
            }
        }
    }

    /// Makes the socket's file again where another folder, without the socket or with a copy of it, has the place of ours.
    private func checkSocketFile() {
        guard held.activated == nil else { return }
        // A folder that cannot be looked into has no socket for clients either.
        let current = try? Files.entry(parts.options.socket)
        guard current?.inode != socketFile?.inode || current?.device != socketFile?.device else { return }
        socketWatch?.end()
        listenAgain()
    }
}
