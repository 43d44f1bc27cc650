import PMModel
import Testing

@testable import PMMigration

@Suite struct ProcfileTests {
    private func migration(_ text: String, _ files: String...) throws -> Migration {
        var context = MigrationContext.test()
        context.exists = { files.contains($0) }
        return try Procfile(bytes: Array(text.utf8)).migration(context)
    }

    @Test func `each line becomes a service`() throws {
        let migration = try migration(
            "# comment\r\nweb: node server.js --a 'b c'\n\nworker_2: QUEUE=mail exec python3 w.py\nrelease: ./migrate\n",
            "/srv/app/.env")
        #expect(migration.service("web").command == ["./server.js", "--a", "b c"])
        #expect(migration.service("web").env == ["PORT": "5000"])
        #expect(migration.service("web").mapping.envFiles == ["./.env"])
        #expect(migration.service("worker_2").command == ["/usr/bin/python3", "w.py"])
        #expect(migration.service("worker_2").env == ["QUEUE": "mail", "PORT": "5100"])
        let release = migration.service("release")
        #expect(release.command == ["./migrate"] && !release.mapping.isAutostart)
        #expect(release.mapping.restart.condition == .never)
    }

    @Test(arguments: [
        "node a.js $PORT", "a && b", "a | b", "a > b", "a; b", "`a`", "\"$X\"", "a *", "~/a", "a {b,c}", "(a)",
    ])
    func `what needs a shell gets one`(line: String) throws {
        #expect(try migration("x: \(line)").service("x").command == ["/bin/sh", "-c", line])
    }

    @Test(arguments: [
        ("'$X' b\\ c", ["$X", "b c"]), ("a''b \"\" c", ["ab", "", "c"]), (#""a\"b\\c\d""#, [#"a"b\c\d"#]),
        ("a#b", ["a#b"]), ("a~", ["a~"]), ("'a\\' b", ["a\\", "b"]),
    ])
    func `words are split as a shell does`(line: String, words: [String]) throws {
        #expect(try ShellLine.split(line) == ShellLine.Split(words: words, needsShell: false))
    }

    @Test(arguments: ["", "# only\n", "web node", "web:", "we b: x", "a: b\na: c", "a: 'b", "a: \"b", ": x"])
    func `a wrong line is refused`(text: String) {
        #expect(throws: MigrationError.self) { try migration(text) }
    }

    @Test func `the error has the line`() {
        #expect(throws: MigrationError("a quote ' is not closed", line: 2)) { try migration("a: b\nc: 'd\n") }
    }

    @Test(arguments: ["a b", "it's", "", "a\"b", "$x", "a\nb", "ü", "a=b"])
    func `quoting is the inverse of splitting`(word: String) throws {
        #expect(try ShellLine.split(ShellLine.quoted(word)).words == [word])
    }
}
