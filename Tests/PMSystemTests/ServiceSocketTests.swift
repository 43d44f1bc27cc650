import Glibc
import PMSystem
import Testing

@Suite struct ServiceSocketTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/pm-socket-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(folder) }
        try body(folder)
    }

    @Test func `is known by its address, however that was written`() throws {
        // Port 0 lets the kernel choose; the host is what matters.
        for (host, text) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("0:0::1", "[::1]")] {
            guard let socket = try? ServiceSocket.internet(host, 0, .stream(backlog: 1)) else { continue }  // no IPv6
            let key = try #require(socket.key)
            #expect(key.hasPrefix("stream \(text):"))
            let port = try #require(UInt16(key.split(separator: ":").last ?? ""))
            #expect(key == "stream \(ServiceSocket.text(host, port))")
        }
        #expect(try ServiceSocket.internet("127.0.0.1", 0, .datagram).key?.hasPrefix("datagram 127.0.0.1:") == true)
        #expect(ServiceSocket(SharedFD(try OwnedFD.open("/dev/null", O_RDONLY))).key == nil)
    }

    @Test func `what is removed at the end is a socket, and not what somebody put in its place`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.sock"
            defer { unlink(path) }
            _ = try ServiceSocket.unix(path, .stream(backlog: 1), ServiceSocket.Owner(mode: 0o600))
            try Files.removeSocket(path)
            #expect(try Files.status(path) == nil)
            try Files.removeSocket(path)
            try Files.replace(path, with: [1])
            try Files.removeSocket(path)
            #expect(try Files.status(path)?.size == 1)
        }
    }

    @Test func `replaces a stale file, and no served one or other file`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.sock"
            defer { unlink(path) }
            let owner = ServiceSocket.Owner(mode: 0o600)
            do {
                let first = try ServiceSocket.unix(path, .stream(backlog: 1), owner)
                #expect(first.key == "stream \(path)")
                #expect(try Files.status(path)?.mode == 0o600)
                let error = #expect(throws: SystemError.self) {
                    try ServiceSocket.unix(path, .stream(backlog: 1), owner)
                }
                #expect(error?.code == EADDRINUSE)
            }
            let second = try ServiceSocket.unix(path, .datagram, owner)
            #expect(second.key == "datagram \(path)")
            unlink(path)
            try Files.replace(path, with: Array("text".utf8))
            #expect(throws: SystemError.self) { try ServiceSocket.unix(path, .datagram, owner) }
            #expect(try Files.read(path) == Array("text".utf8))
        }
    }

    @Test(arguments: [0o600, 0o666, 0o777, 0o040, 0] as [mode_t])
    func `has exactly its permissions, and the process keeps its mask`(mode: mode_t) throws {
        try withFolder { folder in
            let path = "\(folder)/a.sock"
            defer { unlink(path) }
            let before = try Self.mask()
            let owner = ServiceSocket.Owner(user: geteuid(), group: getegid(), mode: mode)
            _ = try ServiceSocket.unix(path, .stream(backlog: 1), owner)
            #expect(try Files.status(path)?.mode == mode)
            #expect(try Self.mask() == before)
            unlink(path)
            _ = try UnixSocket.listen(path, mode: mode)
            #expect(try Files.status(path)?.mode == mode)
        }
    }

    /// The process's mask, as the kernel tells it; umask(2) tells it by changing it for all threads.
    private static func mask() throws -> String {
        let status = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
        return try #require(status.split(separator: "\n").first { $0.hasPrefix("Umask:") }.map(String.init))
    }

    @Test func `is blocking and close-on-exec`() throws {
        let socket = try ServiceSocket.internet("127.0.0.1", 0, .stream(backlog: 1))
        #expect(fcntl(socket.descriptor.raw, F_GETFL) & O_NONBLOCK == 0)
        #expect(fcntl(socket.descriptor.raw, F_GETFD) & FD_CLOEXEC != 0)
    }
}

@Suite struct ProcessTableTests {
    @Test func `a tree is a leader and what descends from it`() throws {
        let child = ChildProcess(
            path: "/bin/sh", arguments: ["-c", "sleep 1000 & wait"], environment: ["PATH=/usr/bin:/bin"])
        var group = child
        group.isDetached = true
        let pid = try group.start()
        defer {
            kill(-pid, SIGKILL)
            _ = try? ChildProcess.wait(for: pid)  // it was killed
        }
        var use: TreeUse?
        while (use?.processes ?? 0) < 2 { use = ProcessTable().uses(ofTrees: [pid])[pid] }
        #expect((use?.memory ?? 0) > 100_000)
        let both = ProcessTable().uses(ofTrees: [pid, getpid()])
        #expect(both[pid]?.processes == 2)
        #expect((both[getpid()]?.memory ?? 0) > 1_000_000)
        #expect(ProcessTable().uses(ofTrees: [1_999_999_999]).isEmpty)
        #expect((ProcessTable().use(of: getpid())?.cpuMicroseconds ?? 0) > 0)
    }

    @Test func `what lies on no disk has no number`() {
        let error = #expect(throws: SystemError.self) { try BlockDevice.number(of: "/proc") }
        #expect(error?.code == ENODEV)
        #expect(throws: SystemError.self) { try BlockDevice.number(of: "/nowhere/at/all") }
    }
}
