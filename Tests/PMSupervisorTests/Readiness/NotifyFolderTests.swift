import Glibc
import PMAPI
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMSupervisor

/// The folders in which services find their NOTIFY_SOCKET.
@Suite(.loop) struct `Folders of NOTIFY_SOCKET` {
    /// A directory of its own for one test.
    private static func with(_ body: @PMActor (String) throws -> Void) async throws {
        var template = Array("/tmp/pm-notify-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        let root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = try? Program(["rm", "-rf", root], directory: "/", environment: [:]).wait() }  // a few small files
        // The daemon's folders lie below, so that others of the test's may pass.
        chmod(root, 0o711)
        try await body(root)
    }

    @PMActor private static func folders(_ places: String..., isRoot: Bool = geteuid() == 0) -> NotifyFolders {
        NotifyFolders(
            places.map { NotifyDirectory($0, below: ["notify"], marker: "m", isRoot: isRoot) }, user: geteuid())
    }

    private static func mode(_ path: String) throws -> mode_t? { try Files.entry(path)?.mode }

    @Test func `are closed to all but the service's user, and gone when it has ended`() async throws {
        try await Self.with { root in
            let user: uid_t? = geteuid() == 0 ? 65534 : nil
            let folders = Self.folders(root + "/run")
            let first = try folders.open(for: 1, as: user)
            let second = try folders.open(for: 2, as: nil)
            #expect(first.folder == root + "/run/notify/m/1" && second.folder == root + "/run/notify/m/2")
            let entry = try #require(try Files.entry(first.folder))
            #expect(entry.mode == 0o700 && entry.owner == user ?? geteuid())
            let socket = try #require(try Files.entry(first.path))
            #expect(socket.kind == .socket && socket.mode == 0o600 && socket.owner == user ?? geteuid())
            // Other users reach theirs through those of root's daemon.
            let isRoot = geteuid() == 0
            #expect(try Self.mode(root + "/run") == (isRoot ? 0o755 : 0o700))
            #expect(try Self.mode(root + "/run/notify/m") == (isRoot ? 0o711 : 0o700))
            #expect(NotifySocket.folder(of: first.descriptor) == first.folder)
            folders.remove(1)
            #expect(try Files.list(root + "/run/notify/m") == ["2"])
            folders.close()
            #expect(try Files.list(root + "/run/notify/m") == ["2"])
            folders.remove(2)
            folders.close()
            #expect(try Files.list(root + "/run/notify") == [])
        }
    }

    @Test func `of an earlier daemon stay with the services that run, and others are removed`() async throws {
        try await Self.with { root in
            let before = Self.folders(root + "/run")
            let running = try before.open(for: 7, as: nil)
            _ = try before.open(for: 8, as: nil)
            for name in ["not-a-number", "18446744073709551615"] {
                try Files.makeDirectories(root + "/run/notify/m/" + name)
            }
            let after = Self.folders(root + "/run")
            after.adopt(7, running.descriptor, as: nil)
            after.adopt(9, try Pipe.make().reading, as: nil)
            after.settle()
            #expect(try Files.list(root + "/run/notify/m") == ["18446744073709551615", "7", "not-a-number"])
            // A number that is in use is not given again, whatever number the child has.
            #expect(try after.open(for: 2, as: nil).folder.hasSuffix("/m/8"))
            after.remove(7)
            #expect(try Files.list(root + "/run/notify/m") == ["18446744073709551615", "8", "not-a-number"])
        }
    }

    @Test func `are made again where somebody took them away`() async throws {
        try await Self.with { root in
            let folders = Self.folders(root + "/run")
            _ = try folders.open(for: 1, as: nil)
            _ = try Program(["rm", "-rf", root + "/run"], directory: "/", environment: [:]).wait()
            #expect(try folders.open(for: 2, as: nil).path.hasPrefix(root + "/run/notify/m/"))
        }
    }

    @Test func `are made in another place where the path is too long or the first is not safe`() async throws {
        try await Self.with { root in
            let long = root + "/" + String(repeating: "x", count: 100)
            #expect(try Self.folders(long, root + "/b").open(for: 1, as: nil).folder == root + "/b/notify/m/1")
            try Files.makeDirectories(root + "/open")
            chmod(root + "/open", 0o777)
            #expect(
                try Self.folders(root + "/open", root + "/c").open(for: 1, as: nil).folder == root + "/c/notify/m/1")
            symlink(root + "/c", root + "/link")
            let folders = Self.folders(long, root + "/open", root + "/link", "/proc/none")
            let error = #expect(throws: SpawnFailure.self) { try folders.open(for: 1, as: nil) }
            let text = error?.sentence ?? ""
            #expect(text.contains("File name too long"), "\(text)")
            #expect(text.contains("\(root)/open can be written by others"), "\(text)")
            #expect(text.contains("\(root)/link is no directory"), "\(text)")
            #expect(text.contains("mkdir /proc/none: No such file or directory"), "\(text)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root's services have users of their own"))
    func `that their user filled stay and are told, and sixteen keep that user's services from starting`() async throws
    {
        try await Self.with { root in
            var told: [String] = []
            let place = NotifyDirectory(root + "/run", below: ["notify"], marker: "m", isRoot: true)
            let folders = NotifyFolders([place], user: 0) { told.append($0) }
            for child in 1...UInt64(NotifyFolders.mostLeft) {
                let socket = try folders.open(for: child, as: 65534)
                // In the place of the socket lies a file: removing it would give back its memory.
                try Files.remove(socket.path)
                try Files.replace(socket.path, with: [1])
                folders.remove(child)
                // It is not its user's any more.
                #expect(try Files.entry(socket.folder)?.owner == 0 && Self.mode(socket.folder) == 0o700)
            }
            #expect(told.count == 16 && told[0].contains("user 65534 stays: rmdir \(root)/run/notify/m/1: "), "\(told)")
            let error = #expect(throws: SpawnFailure.self) { try folders.open(for: 17, as: 65534) }
            #expect(error?.sentence.contains("user 65534 has put files into 16 folders") == true)
            // Others are not concerned.
            _ = try folders.open(for: 18, as: 65533)
            _ = try folders.open(for: 19, as: nil)
            try Files.remove(root + "/run/notify/m/3/socket")
            #expect(try folders.open(for: 20, as: 65534).folder.hasSuffix("/m/20"))
            #expect(try Files.entry(root + "/run/notify/m/3") == nil)
        }
    }
}
