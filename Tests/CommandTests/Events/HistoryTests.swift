import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm history` {
    @Test func `lists starts and ends of a service`() async throws {
        try await TestProject.with { project in
            try project.script("twice.sh", "test -e ran && exec sleep 100000; touch ran; exit 4")
            try project.configure(
                ["twice": ["path": "./twice.sh"]],
                mapping: ["twice": ["container": "twice", "restart": ["delay": "10ms"]]])
            try project.startDaemon()
            #expect(try project.pm("history", "twice").code == 66)
            _ = try project.pm("start", "twice")
            try project.until("twice", "up again") { $0["restarts"]?.int == 1 && $0["pid"]?.isNull == false }
            let rows = try project.json("history", "twice")
            #expect(rows.array?.map { $0["incarnation"]?.int } == [1, 2], "\(rows)")
            #expect(rows[0]?["exit"]?["code"]?.int == 4 && rows[0]?["startedAt"]?.isNull == false)
            #expect(rows[0]?["then"]?.string?.hasPrefix("restart ") == true && rows[1]?["exit"]?.isNull == true)
            let table = try project.must("history", "twice", "-n", "1")
            #expect(table.contains("STARTED") && !table.contains("exit code 4"), "\(table)")
            try project.must("stop")
            #expect(try project.must("history", "twice").contains("stopped: SIG"))
        }
    }
}
