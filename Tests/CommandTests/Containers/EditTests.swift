import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm edit` {
    /// A project whose editor is a shell script; `$1` is the file to edit.
    private func editing(_ script: String, _ body: (TestProject, (String?) throws -> Outcome) throws -> Void)
        async throws
    {
        try await TestProject.with { project in
            try project.script("editor", script)
            try project.configure(["web": ["path": "./web.js"]], mapping: ["web": [:]])
            try body(project) { input in
                try project.run([TestPaths.pm, "edit"], adding: ["VISUAL": "./editor"], input: input)
            }
        }
    }

    private static let good = #"sed -i 's/web.js/other.js/' "$1""#

    @Test func `replaces the file when the copy has no errors, and leaves nothing`() async throws {
        try await editing(Self.good) { project, edit in
            let outcome = try edit(nil)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try project.read(".pm.config.json").contains("./other.js"))
            #expect(try project.run(["sh", "-c", "ls -a | grep -c edit-"]).output == "0\n")
            // The second time nothing changes.
            #expect(try edit(nil).errors.contains("is as it was"))
        }
    }

    @Test func `asks what to do with errors: edit again, discard or keep`() async throws {
        let script = #"if [ -e once ]; then sed -i 's/broken/web/' "$1"; else touch once; echo broken >>"$1"; fi"#
        try await editing(#"echo broken >>"$1""#) { project, edit in
            let text = try project.read(".pm.config.json")
            let discarded = try edit("x\n")
            #expect(discarded.code == 65 && discarded.errors.contains("Edit again"), "\(discarded)")
            #expect(try project.run(["sh", "-c", "ls -a | grep -c edit-"]).output == "0\n")
            let kept = try edit("k\n")
            #expect(kept.code == 65 && kept.errors.contains("the copy is"), "\(kept)")
            #expect(try project.run(["sh", "-c", "ls -a | grep -c edit-"]).output == "1\n")
            #expect(try project.read(".pm.config.json") == text)
        }
        try await editing(script.replacing("s/broken/web/", with: "/broken/d")) { project, edit in
            let text = try project.read(".pm.config.json")
            #expect(try edit("e\n").code == 0)
            #expect(try project.read(".pm.config.json") == text)
        }
    }

    @Test func `keeps both texts when somebody else changes the file meanwhile`() async throws {
        try await editing(#"sed -i 's/web.js/mine.js/' "$1"; sed -i 's/web.js/theirs.js/' .pm.config.json"#) {
            project, edit in
            let outcome = try edit(nil)
            #expect(outcome.code == 73 && outcome.errors.contains("somebody else has changed"), "\(outcome)")
            #expect(try project.read(".pm.config.json").contains("theirs.js"))
            #expect(try project.run(["sh", "-c", "cat .pm.config.json.edit-*"]).output.contains("mine.js"))
        }
    }

    @Test func `takes nothing from an editor that fails or is missing`() async throws {
        try await editing("exit 3") { project, edit in
            let text = try project.read(".pm.config.json")
            #expect(try edit(nil).errors.contains("failed with status 3"))
            let missing = try project.run([TestPaths.pm, "edit"], adding: ["VISUAL": "/no/editor"])
            #expect(missing.code == 1 && missing.errors.contains("/no/editor"), "\(missing)")
            #expect(try project.read(".pm.config.json") == text)
        }
    }
}
