import Glibc
import PMModel
import PMSupervisor
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// When the files of accounts are read.
@Suite(.loop) struct AccountCacheTests {
    /// Files of accounts in a folder of their own.
    @PMActor private struct Machine {
        let folder: String
        let cache: AccountCache

        init() throws {
            var template = Array("/tmp/pm-accounts-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            cache = AccountCache(users: folder + "/passwd", groups: folder + "/group")
            try write("web:x:33:33::/srv:/bin/sh\n")
        }

        func write(_ users: String) throws { try Files.replace(folder + "/passwd", with: Array(users.utf8)) }

        /// The home of a user: what a service gets as its variable.
        func home(_ user: String?) throws(SpawnFailure) -> String? {
            var mapping = Mapping(container: "x")
            mapping.user = user
            return try cache.account(of: mapping, for: "web").variables["HOME"]
        }

        func remove() {
            for name in ["passwd", "group"] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
    }

    @Test @PMActor func `a service that names nobody costs no look at them`() throws {
        let machine = try Machine()
        defer { machine.remove() }
        for _ in 0..<3 { #expect(try machine.home(nil) == nil) }
        #expect(machine.cache.reads == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root's daemon runs services as others"))
    @PMActor func `they are read once, and again when they are others`() throws {
        let machine = try Machine()
        defer { machine.remove() }
        for _ in 0..<5 { #expect(try machine.home("web") == "/srv") }
        #expect(machine.cache.reads == 1)
        try machine.write("web:x:33:33::/other:/bin/sh\n")
        #expect(try machine.home("web") == "/other")
        #expect(machine.cache.reads == 2)
    }

    @Test(.enabled(if: geteuid() == 0, "only root's daemon runs services as others"))
    @PMActor func `who was not there is found as soon as somebody makes the account`() throws {
        let machine = try Machine()
        defer { machine.remove() }
        for service in 0..<2 {
            #expect(throws: SpawnFailure(.account(.userMissing), "new").about(.init("web", "user")), "\(service)") {
                try machine.home("new")
            }
        }
        try machine.write("web:x:33:33::/srv:/bin/sh\nnew:x:40:40::/new:\n")
        #expect(try machine.home("new") == "/new")
        #expect(machine.cache.reads == 2)
    }
}
