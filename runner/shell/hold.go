package shell

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long the person's terminal may take to come for the shell when
// it is the run's turn: nobody should wait for GPUs that a dead one holds. Tests
// shorten it.
var patience = 20 * time.Second

// Hold is the command `hold FOLDER`: it stands for the shell of a run, towards
// everything that looks after runs. What it prints is the log of the run.
func Hold(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: hold FOLDER")
		return 2
	}
	var plan Plan
	err := json.Unmarshal([]byte(os.Getenv(Variable)), &plan)
	if err == nil {
		err = hold(args[0], plan)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cytorun:", err)
		return 1
	}
	return 0
}

func hold(folder string, plan Plan) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	run := filepath.Base(folder)
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: address(folder), Net: "unix"})
	if err != nil {
		return fmt.Errorf("cannot wait for the terminal: %w", err)
	}
	defer ln.Close()
	came := make(chan *net.UnixConn)
	go accept(ln, came)
	var conn *net.UnixConn
	select {
	case conn = <-came:
	case <-stop:
		return errors.New("ended before the shell was opened")
	case <-time.After(patience):
		return errors.New("nobody came to open the shell: the command that asked for it is gone")
	}
	_ = ln.Close() // one shell, one terminal
	defer conn.Close()
	if err := write(conn, message{Plan: &plan}); err != nil {
		return fmt.Errorf("the terminal is gone: %w", err)
	}
	began := time.Now()
	fmt.Printf("shell opened at %s\n", began.Format(time.RFC3339))
	said := make(chan message)
	go func() {
		defer close(said)
		for r := bufio.NewReader(conn); ; {
			m, err := read(r)
			if err != nil {
				return
			}
			said <- m
		}
	}()
	pid := 0
	for {
		select {
		case m, ok := <-said:
			switch {
			case !ok:
				end(run, pid)
				fmt.Printf("the terminal went away after %s; what ran in the shell was ended\n", since(began))
				return nil
			case m.Exit != nil:
				end(run, pid) // what it left in the background
				fmt.Printf("shell ended with exit code %d after %s\n", *m.Exit, since(began))
				return nil
			case m.PID > 0:
				pid = m.PID
			}
		case <-stop:
			_ = conn.Close() // the terminal learns first why its shell is killed
			end(run, pid)
			return fmt.Errorf("shell ended from outside after %s", since(began))
		}
	}
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }

// accept hands over the first connection of this user.
func accept(ln *net.UnixListener, came chan<- *net.UnixConn) {
	for {
		c, err := ln.AcceptUnix()
		if err != nil {
			return
		}
		if own(c) {
			came <- c
			return
		}
		_ = c.Close()
	}
}
