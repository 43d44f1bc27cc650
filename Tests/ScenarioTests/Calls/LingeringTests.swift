import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// Descriptors that services send, and whose close takes an hour.
@Suite(.serialized) struct `A service that sends lingering connections` {
    /// On which kernel pm believes to be.
    enum Kernel: CaseIterable {
        /// This one.
        case own
        /// One before Linux 6.16, without SO_PASSRIGHTS: there they arrive.
        case old
    }

    /// Where they are sent to.
    enum Target: String, CaseIterable {
        /// The NOTIFY_SOCKET.
        case notify
        /// The channel.
        case channel
    }

    /// So many are sent.
    private static let rounds = 100

    /// Sends connections that linger and whose peers take nothing, each by a process that closes its own at once and ends:
    /// whoever closes last waits. Writes down how many were sent, and how many of these processes did not wait.
    private static let attack = #"""
        import os, select, socket, struct, sys
        target, rounds = sys.argv[1], int(sys.argv[2])
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(rounds)
        if target == "notify":
            to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            to.connect(os.environ["NOTIFY_SOCKET"])
            to.send(b"READY=1")
        else:
            to = socket.socket(fileno=int(os.environ["PM_CHANNEL_FD"]))
        linger = lambda c, seconds: c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))
        def send(c):
            try:
                socket.send_fds(to, [b"\n"], [c.fileno()])
                c.close()
                os._exit(0)
            except PermissionError:
                linger(c, 0)
                os._exit(1)
        peers, sent, quick = [], 0, 0
        for _ in range(rounds):
            c = socket.create_connection(listener.getsockname())
            peers.append(listener.accept())
            c.setblocking(False)
            try:
                while True: c.send(bytes(65536))
            except BlockingIOError: pass
            c.setblocking(True)
            linger(c, 3600)
            go, begin = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.read(go, 1)
                send(c)
            c.close()
            os.write(begin, b"x")
            os.close(go), os.close(begin)
            end = os.pidfd_open(pid)
            ended = select.select([end], [], [], 0.1)[0] and os.waitpid(pid, 0)[1] == 0
            sent, quick = sent + (ended != False), quick + (ended == True)
            os.close(end)
        open("sent.new", "w").write(f"{sent} {quick}")
        os.rename("sent.new", "sent")
        while True: to.recv(4096)
        """#

    /// Makes SO_PASSRIGHTS (83) fail with ENOPROTOOPT for the program that it executes, and all that come of it.
    private static let old = #"""
        import ctypes, os, platform, struct, sys
        number = {"x86_64": 54, "aarch64": 208}[platform.machine()]
        code = b"".join(struct.pack("HBBI", *one) for one in [
            (0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 32), (0x15, 0, 1, 83),
            (0x06, 0, 0, 0x50000 | 92), (0x06, 0, 0, 0x7fff0000)])
        program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.cast(code, ctypes.c_void_p).value))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program) != 0: sys.exit("no seccomp filters here")
        os.execv(sys.argv[1], sys.argv[1:])
        """#

    @Test(arguments: Kernel.allCases, Target.allCases)
    func `costs no turn of the daemon's loop`(_ kernel: Kernel, _ target: Target) async throws {
        try await TestProject.with { project in
            try project.write("attack.py", Self.attack)
            try project.write("old.py", Self.old)
            try project.write("own/here", "")
            try project.script("attack.sh", "exec python3 ../attack.py \(target.rawValue) \(Self.rounds)")
            let mapping = project.asUser(
                [
                    "container": "attack", "cwd": "./own", "restart": "never",
                    "ready": target == .notify ? "notify" : "started",
                ], owning: "own")
            try project.configure(
                ["attack": ["path": "./attack.sh", "commandable": true]], mapping: ["attack": mapping])
            let start = [TestPaths.pm, "start", "pm", "--wait"]
            let begun = try project.run(kernel == .old ? ["python3", "old.py"] + start : start)
            #expect(begun.code == 0, "\(begun)")
            let daemon = try project.daemonID()
            let longest = try Self.longest(project)
            let counts = try project.read("own/sent").split(separator: " ").compactMap { Int($0) }
            print("\(kernel), \(target): \(counts) sent, and left to the daemon; the longest call took \(longest)")
            if Self.isRefused(by: kernel) {
                // A sender that is not done within 0.1 s on a busy machine counts as one that was let through.
                #expect(counts.count == 2 && counts[0] <= Self.rounds / 10 && counts[1] == 0, "\(counts)")
            } else {
                #expect(counts.count == 2 && counts[0] == Self.rounds && counts[1] > Self.rounds / 10)
            }
            // Where nobody goes before others, what else the machine does counts too; a close would take an hour.
            if !TestSize.isSlow { #expect(longest < (RealTime.isAllowed ? .milliseconds(50) : .seconds(2))) }
            #expect(try project.daemonID() == daemon, "\(project.daemonLog)")
            // What they wait in is closed as well, and keeps nobody.
            try project.must("stop", "attack")
            #expect(try project.daemonID() == daemon, "\(project.daemonLog)")
        }
    }

    /// The longest call to the daemon while they are sent.
    private static func longest(_ project: TestProject) throws -> Duration {
        let client = try project.client()
        try RealTime.prefer(try project.daemonID(), in: project)
        try project.must("start", "attack")
        return try RealTime.run {
            var longest = Duration.zero
            let limit = ContinuousClock.now + .seconds(120)
            while try Files.status("\(project.directory)/own/sent") == nil {
                let begun = ContinuousClock.now
                guard begun < limit, try client.call("name")?["result"] != nil else {
                    throw TestFailure("the daemon does not answer, or the attack has no end: \(project.daemonLog)")
                }
                longest = max(longest, ContinuousClock.now - begun)
                // What is in real time without a pause is made to wait by the kernel, 50 ms in a second.
                poll(nil, 0, 1)
            }
            return longest
        }
    }

    /// Whether the kernel refuses to send them (SO_PASSRIGHTS, 83).
    private static func isRefused(by kernel: Kernel) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard kernel == .own, socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return false }
        defer { for end in ends { close(end) } }
        var off: Int32 = 0
        return setsockopt(ends[0], SOL_SOCKET, 83, &off, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
