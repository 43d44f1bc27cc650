import JSON
import PMTestSupport

/// The service of `RoutingContract` as a program without the host, and a daemon that runs it.
enum ContractService {
    /// Beside the contract: `release` answers all calls of `never`, and frames of callers' streams are counted.
    static let source = #"""
        use IO::Handle;
        open my $pm, '+<&=', $ENV{PM_CHANNEL_FD};
        $pm->autoflush(1);
        my ($notes, $cancels, $frames, @open) = (0, 0, 0);
        sub say_ { print $pm qq({"jsonrpc":"2.0",$_[0]}\n) }
        my $offer = '{"name":"svc","commands":[{"name":"echo","config":{}}],"accepts":["$/cancel","$/pause","$/resume"]}';
        say_(qq("id":1,"method":"ready","params":[$offer]));
        while (<$pm>) {
            if (m{"method":"\$/cancel","params":\[(\d+)\]}) {
                $cancels++;
                say_(qq("id":$1,"error":{"statusCode":499,"message":"cancelled"}));
            }
            $notes++ if /"method":"note"/;
            my ($id) = /^\{"id":(\d+)/ or next;
            $frames++ if /"event":"data"/;
            my ($method) = /"method":"(.*?)"/ or next;
            if ($method eq '$metadata') { say_(qq("id":$id,"result":$offer)) }
            if ($method eq 'echo') { /"params":\[(.*)\],"jsonrpc"/; say_(qq("id":$id,"result":$1)) }
            if ($method eq 'counts') { say_(qq("id":$id,"result":[$notes,$cancels,$frames])) }
            if ($method eq 'fail') { say_(qq("id":$id,"error":{"statusCode":418,"message":"a teapot","extra":[1,2]})) }
            push @open, $id if $method eq 'never';
            if ($method eq 'release') { say_(qq("id":$_,"result":"late")) for splice(@open), $id }
            next unless $method eq 'begin' || $method eq 'pieces';
            say_(qq("id":$id,"stream":true,"result":{}));
            next if $method eq 'begin';
            say_(qq("id":$id,"result":{"event":"data","isBuffer":false,"data":$_})) for 1, 2;
            say_(qq("id":$id,"result":{"event":"end"},"stream":true));
        }
        """#

    /// A daemon with the service, and with one that only writes.
    static func with(_ body: (TestProject) throws -> Void) async throws {
        try await TestProject.with { project in
            try project.write("svc.pl", source)
            try project.script("svc", "exec perl svc.pl")
            try project.script("count", "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done")
            try project.configure(["svc": ["path": "./svc", "commandable": true], "count": ["path": "./count"]])
            try project.startDaemon()
            for name in ["svc", "count"] { try project.must("start", name, "--wait") }
            try until("count writes") { try !project.must("log", "count", "--raw").isEmpty }
            try body(project)
        }
    }
}
