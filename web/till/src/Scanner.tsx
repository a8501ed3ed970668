import { useEffect, useRef } from "react";
import { reader } from "./reader";
import { say } from "./words";

export const canScan = () => "mediaDevices" in navigator;

interface Props {
  found(code: string): void;
  failed(): void;
  close(): void;
}

/** The camera until it sees a QR code. */
export function Scanner({ found, failed, close }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const told = useRef({ found, failed });
  told.current = { found, failed };

  useEffect(() => {
    const life = new AbortController();
    let stream: MediaStream | null = null;
    const look = async () => {
      const place = video.current;
      if (!place) throw new Error("there is no picture");
      const read = await reader();
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (life.signal.aborted) return;
      place.srcObject = stream;
      await place.play();
      while (!life.signal.aborted) {
        const code = await read(place);
        if (code && !life.signal.aborted) return told.current.found(code);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    };
    look()
      .catch(() => !life.signal.aborted && told.current.failed())
      .finally(() => life.signal.aborted && stop(stream));
    return () => {
      life.abort();
      stop(stream);
    };
  }, []);

  return (
    <div className="camera">
      <video ref={video} muted playsInline />
      <button type="button" className="quiet" onClick={close}>
        {say.stop}
      </button>
    </div>
  );
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
