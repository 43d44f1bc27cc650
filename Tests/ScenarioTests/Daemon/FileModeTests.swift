import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// The files that a daemon makes, by the table in Docs/Administration.md.
@Suite(.serialized) struct `Files of a daemon` {
    /// A row of the table: a file of that name, or with that ending.
    private struct Rule {
        let name: String
        let mode: Int
    }

    private static func rules() throws -> [Rule] {
        let text = String(decoding: try Files.read(TestPaths.root + "/Docs/Administration.md"), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { String($0.filter { $0 != " " && $0 != "`" }) }
            guard cells.count >= 2, cells[1].hasPrefix("0"), let mode = Int(cells[1], radix: 8) else { return nil }
            return Rule(name: cells[0], mode: mode)
        }
    }

    @Test(arguments: ["0000", "0022", "0777"])
    func `have the modes of the table, whatever the mask of who starts it`(mask: String) async throws {
        try await TestProject.with { project in
            try project.script("talks", "echo hello; exit 1")
            try project.configure(
                ["talks": ["path": "./talks"], "web": ["path": "/bin/sleep"]],
                mapping: [
                    "talks": ["container": "talks", "restart": "never", "umask": "0022"],
                    "web": ["container": "web", "cli": ["1000"]],
                ])
            let words = "umask \(mask); exec \(TestPaths.pm) start pm --wait"
            let started = try project.run(["sh", "-c", words])
            #expect(started.code == 0, "\(started)")
            // The program ends at once, and the start may report that.
            _ = try project.pm("start", "talks")
            try project.must("start", "web", "--wait")
            try project.until("talks", "ended") { $0["lastExit"] != nil }
            try until("its last words are kept") {
                String(decoding: project.stateFile("events.jsonl") ?? [], as: UTF8.self).contains("\"exit\"")
            }
            let state = try #require(project.stateDirectory)
            let listed = try project.run(["find", state, project.socket, "-printf", "%m %U %y %P\\n"]).output
            let rules = try Self.rules()
            for line in listed.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
                let name = String(words[3].split(separator: "/").last ?? (words[2] == "s" ? "pm.sock" : "state"))
                let rule =
                    rules.first { $0.name == name } ?? rules.first {
                        $0.name.hasPrefix("*") && name.hasSuffix($0.name.dropFirst())
                    }
                    ?? rules.first { $0.name == (words[2] == "d" ? "folders" : "files") }
                let mode = try #require(Int(words[0], radix: 8))
                // A mask may take rights from others, never from the owner; and nobody gets more than the table says.
                #expect(rule.map { mode & ~$0.mode == 0 && mode & 0o700 == $0.mode & 0o700 } == true, "\(line)")
                #expect(words[1] == "\(geteuid())", "\(line)")
            }
            #expect(listed.split(separator: "\n").count > 4, "\(listed)")
        }
    }

    @Test func `a configuration with a secret that others can read is a problem until it is closed`() async throws {
        try await TestProject.with { project in
            try project.configure(
                ["web": ["path": "/bin/sleep"]],
                mapping: ["web": ["container": "web", "env": ["DB_PASSWORD": "hunter2"]]])
            try project.startDaemon()
            let text = "every user of this machine can read the secret"
            let problem = try project.status("pm")["problems"]?[0]?.string
            #expect(problem?.contains(text) == true && problem?.contains("mapping.web.env.DB_PASSWORD") == true)
            #expect(problem?.contains("hunter2") == false)
            #expect(try project.must("map", "more", "/bin/true") == "more\n")
            // What pm writes keeps the mode, and so does what it keeps of before.
            let file = project.directory + "/.pm.config.json"
            chmod(file, 0o600)
            try project.must("map", "third", "/bin/true")
            #expect(try Files.status(file)?.mode == 0o600)
            #expect(try Files.status(file + ".previous")?.mode == 0o600)
            #expect(try project.status("pm")["problems"] == nil)
        }
    }
}
