import Glibc
import PMSystem
import PMTestSupport
import Testing

@testable import PMDocker

/// An empty folder that is gone after `body`, with all that is in it.
func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/pm-docker-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
        // Files of a test that failed are removed as far as that goes.
        for name in (try? Files.list(path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }
    try body(path)
}

@Suite struct ChannelFolderTests {
    private func mode(_ path: String) throws -> mode_t {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw SystemError.last("stat", path) }
        return facts.st_mode & 0o7777
    }

    @Test func `its outer folder is for this user, its inner one for whoever sees it`() throws {
        try withFolder { path in
            let folder = try ChannelFolder(below: path)
            defer { folder.remove() }
            #expect(folder.outer.hasPrefix(path + "/pm-docker."))
            #expect(folder.inner == folder.outer + "/c")
            #expect(try mode(folder.outer) == 0o700)
            #expect(try mode(folder.inner) == 0o755)
            #expect(folder.path(of: .channel) == folder.inner + "/channel")
            #expect(folder.path(of: .daemon) == folder.inner + "/pm.sock")
        }
    }

    @Test func `two of one daemon are two folders`() throws {
        try withFolder { path in
            let folders = try [ChannelFolder(below: path), ChannelFolder(below: path)]
            #expect(folders[0] != folders[1])
            #expect(try Files.list(path).count == 2)
            for folder in folders { folder.remove() }
        }
    }

    @Test func `nothing is left of it, with sockets or without, and once more`() throws {
        try withFolder { path in
            let empty = try ChannelFolder(below: path)
            empty.remove()
            #expect(try Files.list(path) == [])
            let full = try ChannelFolder(below: path)
            for socket in ChannelFolder.Socket.allCases {
                _ = try OwnedFD.open(full.path(of: socket), O_WRONLY | O_CREAT)
            }
            #expect(try Files.list(full.inner).count == 2)
            full.remove()
            full.remove()
            #expect(try Files.list(path) == [])
        }
    }

    @Test func `where there is no folder there is an error with its name`() {
        let error = #expect(throws: SystemError.self) { try ChannelFolder(below: "/nonexistent") }
        #expect(error?.description.hasPrefix("mkdtemp /nonexistent: ") == true)
    }

    @Test func `a label names the folder that was made`() throws {
        try withFolder { path in
            let folder = try ChannelFolder(below: path)
            defer { folder.remove() }
            #expect(ChannelFolder(inner: folder.inner) == folder)
        }
    }

    @Test(arguments: [
        "", "/", "/c", "c", "/etc/c", "/srv/data/c", "/run/user/7/c", "/run/user/7/pm-docker.a1B2c3",
        "/run/user/7/pm-docker.a1B2c3/d", "/run/pm-docker.a1B2c3/../c", "/run/pm-docker.a1B2c3/x/c", "/pm-docker.x/c",
        "/run/x-pm-docker.a1B2c3/c", "run/user/pm-docker.a1B2c3/c",
    ])
    func `a label that names another folder is refused`(label: String) {
        #expect(ChannelFolder(inner: label) == nil)
    }
}
