#!/usr/bin/perl
# Ready by the protocol of sd_notify(3): one datagram to the socket in NOTIFY_SOCKET. Node cannot send one by itself.
use strict;
use warnings;
use Socket;

if (my $path = $ENV{NOTIFY_SOCKET}) {
    $path =~ s/^@/\0/;
    socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
    send($socket, "READY=1\nSTATUS=working", 0, pack_sockaddr_un($path)) or die "send: $!";
}
sleep while 1;
