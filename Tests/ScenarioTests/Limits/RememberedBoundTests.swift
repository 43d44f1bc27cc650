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
    /// Says that it has as many commands of one shape as fit into a megabyte.
    private static let shaped = #"""
        open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
        my $commands = join ',', ($ENV{SHAPE}) x (1040000 / (1 + length $ENV{SHAPE}));
        my $text = qq({"jsonrpc":"2.0","id":1,"method":"ready","params":[{"name":"m","commands":[$commands]}]}\n);
        my $done = 0;
        while ($done < length $text) { $done += syswrite($pm, $text, length($text) - $done, $done) or die $!; }
        sysread $pm, my $answer, 65536;
        $| = 1;
        print "answer ", $answer =~ /"statusCode":(\d+)/ ? $1 : 200, "\n";
        sleep 1000;
        """#

    /// Small values take many times the memory that they have as text.
    @Test(arguments: [
        #"{"name":"a","config":{"":{"idempotent":true}}}"#,
        #"{"name":"a","config":{"a":[\#(Array(repeating: "[1]", count: 14).joined(separator: ","))]}}"#,
        #"{"name":"a","config":{"a":{\#((10..<27).map { "\"\($0)\":1" }.joined(separator: ","))}}}"#,
        #"{"name":"a","config":{"a":"\#(String(repeating: "x", count: 16))","b":1234567890123456789}}"#,
    ])
    func `of the commands of all services is 64 MB in memory, whatever their shape`(shape: String) async throws {
        try await TestProject.with { project in
            try project.write("shaped.pl", Self.shaped)
            try project.script("shaped", "exec perl shaped.pl")
            let names = (1...16).map { "s\($0)" }
            let mappings = names.map { ($0, ["container": "s", "env": ["SHAPE": .string(shape)]] as JSONValue) }
            try project.configure(
                ["s": ["path": "./shaped", "commandable": true]], mapping: .object(JSONObject(mappings)))
            try project.startDaemon()
            let before = try project.daemonMemory()
            var (taken, last) = (0, "")
            for name in names where !last.contains("413") {
                try project.must("start", name)
                try until("\(name) is answered") {
                    last = try project.must("log", name, "--raw")
                    return last.contains("answer ")
                }
                taken += 1
            }
            #expect(last.contains("answer 413"), "\(taken) services: \(last)")
            // Two are taken, however much memory each needs.
            #expect(taken >= 3)
            let more = try project.daemonMemory() - before
            #expect(more < 96, "\(taken - 1) services make pmd hold \(more) MB")
            // Who has gone makes room.
            try project.must("stop", "s1")
            try project.must("restart", "s\(taken)")
            try until("it is taken") { try project.status("s\(taken)")["ready"] == true }
        }
    }

    @Test func `of an answer to itself is nothing when it has more than 1 MB`() async throws {
        try await TestProject.with { project in
            try project.write(
                "long.pl",
                #"""
                use IO::Handle;
                open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
                $pm->autoflush(1);
                my $long = 'n' x (60 << 20);
                print $pm qq({"jsonrpc":"2.0","id":1,"method":"ready","params":[{"name":"long","commands":[]}]}\n);
                while (<$pm>) {
                    print $pm qq({"jsonrpc":"2.0","id":$1,"result":{"name":"$long","commands":[]}}\n) if /"id":(\d+),"method"/;
                }
                """#)
            try project.script("long", "exec perl long.pl")
            try project.configure(["long": ["path": "./long", "commandable": true]])
            try project.startDaemon()
            try project.must("start", "long", "--wait")
            let error = try project.client().call("reload-metadata", ["long"])?["error"]
            #expect(error?.text.contains("an answer to pm itself has more than 1 MB") == true, "\(error?.text ?? "")")
            #expect(try project.client().call("$metadata", [true, "long"])?["result"]?["commands"] == [])
            try until("the line is given back") { try project.daemonMemory() < 64 }
        }
    }
}
