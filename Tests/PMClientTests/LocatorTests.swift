import Glibc
import PMAPI
import PMClient
import PMConfig
import PMSystem
import Testing

@Suite struct LocatorTests {
    private func locator(in directory: String) -> DaemonLocator {
        let environment = ["HOME": directory + "/home", "XDG_RUNTIME_DIR": directory + "/run"]
        var locator = DaemonLocator(
            context: LocationContext(environment: environment, workingDirectory: directory, userID: geteuid()))
        locator.answerTimeout = .seconds(10)
        return locator
    }

    private func error(_ body: () throws(APIError) -> Void) -> APIError? {
        do throws(APIError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("pm.sock", "/srv/pm.sock"), ("/run/x.sock", "/run/x.sock"), ("../y", "/y"),
        ("jsonrpc+unix:///srv/a%20b.sock", "/srv/a b.sock"), ("unix:///srv/s", "/srv/s"),
    ]) func `a socket is named by path or URL`(text: String, path: String) throws {
        #expect(try SocketAddress(text, from: "/srv").path == path)
    }

    @Test(arguments: ["", "tcp://localhost:1", "jsonrpc+tcp://h:1", "jsonrpc+unix://host/x", "https://x/y"])
    func `another transport is refused`(text: String) {
        #expect(error { () throws(APIError) in _ = try SocketAddress(text, from: "/srv") }?.statusCode == 400)
    }

    @Test func `without a configuration nothing runs, and the hint says how to start`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        let locator = locator(in: directory)
        // A machine may have a configuration of the system: then the message names that one.
        let error = error { () throws(APIError) in _ = try locator.connect() }
        #expect(error?.exitCode == .notRunning && error?.hint?.hasPrefix("pm start pm") == true)
    }

    @Test func `a stale socket is a daemon that does not run`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        try Files.replace(directory + "/.pm.config.json", with: Array("{}".utf8))
        _ = try UnixSocket.listen(directory + "/pm.sock", mode: 0o600)
        let error = error { () throws(APIError) in _ = try locator(in: directory).connect() }
        #expect(error?.message == "pm is not running for \(directory)/.pm.config.json")
    }

    @Test func `the daemon of the nearest configuration is reached`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        try Files.replace(directory + "/.pm.config.json", with: Array("{}".utf8))
        try Files.makeDirectories(directory + "/deep/er")
        let listener = try UnixSocket.listen(directory + "/pm.sock", mode: 0o600)
        #expect(try locator(in: directory + "/deep/er").connect().address == directory + "/pm.sock")
        #expect(try UnixSocket.accept(listener.raw) != nil)
    }

    @Test func `an address of the configuration is tried when the usual one is not served`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        let config = #"{"mapping":{"pm":{"connect":{"tcp://x:1":{},"jsonrpc+unix://\#(directory)/other.sock":{}}}}}"#
        try Files.replace(directory + "/.pm.config.json", with: Array(config.utf8))
        let listener = try UnixSocket.listen(directory + "/other.sock", mode: 0o600)
        #expect(try locator(in: directory).connect().address == directory + "/other.sock")
        _ = listener.raw
    }

    @Test func `the socket that an ended daemon has left in its record is not tried`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        try Files.replace(directory + "/.pm.config.json", with: Array("{}".utf8))
        let locator = locator(in: directory)
        let location = try #require(try locator.location())
        let state = location.stateDirectory
        try Files.makeDirectories(state)
        let other = directory + "/other.sock"
        let listener = try UnixSocket.listen(other, mode: 0o600)
        let record = DaemonRecord(config: location.configFile, socket: other, cwd: directory)
        try record.write(in: state)
        let error = error { () throws(APIError) in _ = try locator.connect() }
        #expect(error?.message == "pm is not running for \(location.configFile)")
        _ = listener.raw
        // A copy under another name is nobody's record.
        try Files.replace(state + "/daemon-0.json", with: try Files.read(state + "/" + Files.list(state)[0]))
        #expect(DaemonRecord.all(in: state) == [record])
    }

    @Test func `a daemon that is just starting is waited for`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        try Files.replace(directory + "/.pm.config.json", with: Array("{}".utf8))
        let locator = locator(in: directory)
        let location = try #require(try locator.location())
        try Files.makeDirectories(location.stateDirectory)
        let lock = try OwnedFD.open(location.lockPath, O_RDWR | O_CREAT)
        #expect(flock(lock.raw, LOCK_EX | LOCK_NB) == 0)
        #expect(DaemonLock.isHeld(location.lockPath))
        let socket = location.socketPath
        let thread = BackgroundThread {
            // Held until the client has come: the process ends with the test.
            guard let listener = try? UnixSocket.listen(socket, mode: 0o600) else { return }
            var set = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
            poll(&set, 1, 10_000)
        }
        #expect(try locator.connect().address == socket)
        thread.join()
    }

    @Test func `looking at a lock does not take it`() throws {
        let directory = try makeTemporaryDirectory()
        defer { removeTree(directory) }
        let path = directory + "/lock"
        #expect(!DaemonLock.isHeld(path))
        do {
            let lock = try OwnedFD.open(path, O_RDWR | O_CREAT)
            #expect(!DaemonLock.isHeld(path))
            #expect(flock(lock.raw, LOCK_EX | LOCK_NB) == 0)
            #expect(DaemonLock.isHeld(path))
            #expect(!DaemonLock.waitUntilFree(path, within: .milliseconds(1)))
            _ = lock.raw
        }
        #expect(DaemonLock.waitUntilFree(path, within: .seconds(10)))
    }
}
