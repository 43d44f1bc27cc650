import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm explain` {
    private func explained(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            _ = try project.sleeper("web")
            try project.write("web.env", "# nothing\nexport FROM_FILE=two words\n")
            try project.writeSecret(
                ".pm.config.json",
                """
                {
                  "containers": {
                    "db": { "path": "./web.sh" },
                    "web": { "path": "./web.sh", "dependencies": ["db"] }
                  },
                  "mapping": {
                    "web": {
                      "cli": ["--port", "80", "--token", "hidden1"],
                      "env": { "DB_PASSWORD": "hidden2", "DATABASE_URL": "postgres://app:hidden3@db/shop" },
                      "envFiles": ["./web.env"],
                      "limits": { "nofile": 200 }
                    }
                  }
                }
                """)
            try project.startDaemon()
            try body(project)
        }
    }

    @Test func `names the value, the file and the line of each part`() async throws {
        try await explained { project in
            let answer = try project.json("explain", "web")
            func part(_ name: String) -> JSONValue? { answer["parts"]?.array?.first { $0["name"]?.string == name } }
            #expect(part("program")?["value"]?.string?.hasSuffix("/web.sh") == true)
            #expect(part("program")?["line"] == 4 && part("arguments")?["line"] == 8)
            #expect(part("limits.nofile")?["line"] == 11 && part("limits.nofile")?["value"] == 200)
            #expect(part("restart")?["value"] == "on-failure" && part("restart")?["default"] == true)
            #expect(part("needs.db")?["value"]?["state"] == "down" && part("needs.db")?["line"] == 4)
            #expect(part("env.FROM_FILE")?["value"] == "two words" && part("env.FROM_FILE")?["line"] == 2)
            #expect(part("env.PATH")?["from"] == "daemon" && part("env.PM_NAME")?["from"] == "pm")
            #expect(part("cwd")?["default"] == true && part("log files") != nil)
            let table = try project.must("explain", "web")
            #expect(table.contains(".pm.config.json:8") && table.contains("default"), "\(table)")
        }
    }

    @Test func `shows no secret, and says what keeps the service from starting`() async throws {
        try await explained { project in
            for form in ["json", "table"] {
                let text = try project.must("-o", form, "explain", "web")
                for number in 1...3 { #expect(!text.contains("hidden\(number)"), "\(text)") }
                #expect(text.contains("postgres://app:********@db/shop"), "\(text)")
            }
            try project.must("set", "web", "cwd", "./gone")
            let outcome = try project.pm("explain", "web")
            #expect(outcome.code == 70 && outcome.errors.contains("web cannot be started"), "\(outcome)")
            #expect(try project.pm("explain", "ghost").code == 66)
        }
    }
}
