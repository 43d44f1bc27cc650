import Glibc
import PMConfig
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMDaemon

/// Changes of the configuration while another program holds its lock.
@Suite(.loop) struct ConfigEditsTests {
    /// A configuration in a folder of its own.
    @PMActor private final class Fixture {
        let folder: String
        let edits: ConfigEdits
        private var lock: OwnedFD?
        private(set) var done: [Result<ConfigContent, ConfigError>] = []
        var path: String { folder + "/.pm.config.json" }

        init(timeout: Duration = .seconds(600)) throws {
            var template = Array("/tmp/pm-edits-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try Files.replace(folder + "/.pm.config.json", with: Array("{}".utf8))
            edits = ConfigEdits(
                try ConfigStore(path: folder + "/.pm.config.json", lockTimeout: .zero), TestLoop.reactor,
                timeout: timeout)
        }

        func hold() throws {
            let held = try OwnedFD.open(path + ".lock", O_RDWR | O_CREAT)
            flock(held.raw, LOCK_EX)
            lock = consume held
        }

        func release() { lock = nil }

        func map(_ name: String) {
            edits.make([.setContainer(name, ContainerDefinition(path: "./\(name)"))]) { self.done.append($0) }
        }

        func names() throws -> [String] { try ConfigStore(path: path).load().configuration.containers.map(\.name) }

        func remove() {
            // A missing key needs no removal.
            for name in (try? Files.list(folder)) ?? [] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
    }

    @Test @PMActor func `a change is answered when the file has it, and the loop goes on meanwhile`() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        fixture.map("a")
        #expect(fixture.done.isEmpty && fixture.edits.isBusy)
        while fixture.done.isEmpty { await TestLoop.reactor.sleep(for: .milliseconds(1)) }
        #expect(try fixture.names() == ["a"])
    }

    @Test @PMActor func `what was requested before the end of the daemon is written`() throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        for name in ["a", "b"] { fixture.map(name) }
        fixture.edits.finish()
        #expect(fixture.done.count == 2)
        #expect(try fixture.names() == ["a", "b"])
    }

    @Test @PMActor func `a held lock keeps nobody waiting, and then all are made in order`() async throws {
        let fixture = try Fixture()
        defer { fixture.remove() }
        try fixture.hold()
        for number in 0..<12 { fixture.map("s\(number)") }
        #expect(fixture.done.isEmpty)
        // The loop goes on: a timer of the same length fires meanwhile.
        await TestLoop.reactor.sleep(for: .milliseconds(20))
        #expect(fixture.done.isEmpty)
        fixture.release()
        while fixture.done.count < 12 { await TestLoop.reactor.sleep(for: .milliseconds(5)) }
        #expect(fixture.done.allSatisfy { if case .success = $0 { true } else { false } })
        #expect(try fixture.names() == (0..<12).map { "s\($0)" })
    }

    @Test @PMActor func `a lock that is never given back fails each change, and none for ever`() async throws {
        let fixture = try Fixture(timeout: .milliseconds(50))
        defer { fixture.remove() }
        try fixture.hold()
        for name in ["a", "b"] { fixture.map(name) }
        while fixture.done.count < 2 { await TestLoop.reactor.sleep(for: .milliseconds(50)) }
        for result in fixture.done {
            guard case .failure(let error) = result else { return #expect(Bool(false), "made in spite of the lock") }
            #expect(error.kind == .locked)
        }
        fixture.release()
        #expect(try fixture.names() == [])
    }
}
