import Glibc
import JSON
import PMSystem
import PMTestSupport
import Testing

/// What pmd keeps of what services and starts said, up to its bounds.
@Suite(.serialized) struct `What pmd remembers` {
    @Test func `of arguments of starts is 8 MB`() async throws {
        try await TestProject.with { project in
            try project.script("sleeps", "exec sleep 1000")
            try project.configure(["o": ["path": "./sleeps"]])
            try project.startDaemon()
            let client = try project.client()
            // Nine times 900 KB fit, in words that exec(2) takes.
            let words: JSONValue = .array((0..<9).map { _ in .string(String(repeating: "w", count: 100 << 10)) })
            for number in 0..<9 {
                let reply = try client.call("start", ["o", ["name": .string("run-\(number)"), "args": words]])
                #expect(reply?["result"] != nil, "\(number)")
            }
            let error = try client.call("start", ["o", ["name": "one-more", "args": words]])?["error"]
            #expect(error?["statusCode"] == 503, "\(error?["message"]?.string ?? "started")")
            // The same start again takes no more room.
            try project.must("stop", "run-0")
            let again = try client.call("start", ["o", ["name": "run-0", "args": words]])
            #expect(again?["result"] != nil)
            #expect(try project.daemonMemory() < 128)
        }
    }

    @Test func `of the commands of a service is 1 MB`() async throws {
        try await TestProject.with { project in
            try project.write(
                "big.pl",
                #"""
                open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
                my $commands = qq({"name":") . ('n' x (1 << 20)) . qq("});
                my $text = qq({"jsonrpc":"2.0","id":1,"method":"ready","params":[{"name":"big","commands":[$commands]}]}\n);
                my $done = 0;
                while ($done < length $text) { $done += syswrite($pm, $text, length($text) - $done, $done) or die $!; }
                sysread $pm, my $answer, 65536;
                $| = 1;
                print "answer $1\n" if $answer =~ /"statusCode":(\d+)/;
                sleep 1000;
                """#)
            try project.script("big", "exec perl big.pl")
            try project.configure(["big": ["path": "./big", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "big")
            try until("it is answered") { try project.must("log", "big", "--raw").contains("answer 413") }
            #expect(try project.status("big")["ready"] == false)
        }
    }
}
