import { useEffect, useRef } from "react";
import { say } from "./words";

/** Part of https://wicg.github.io/shape-detection-api/, which TypeScript does not know. */
interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
declare global {
  interface Window {
    BarcodeDetector?: new (options: { formats: string[] }) => Detector;
  }
}

export const canScan = () => "BarcodeDetector" in window && "mediaDevices" in navigator;

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
      if (!place || !window.BarcodeDetector) throw new Error("there is no detector");
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (life.signal.aborted) return;
      place.srcObject = stream;
      await place.play();
      const detector = new window.BarcodeDetector({ formats: ["qr_code", "code_128"] });
      while (!life.signal.aborted) {
        const [first] = await detector.detect(place);
        if (first && !life.signal.aborted) return told.current.found(first.rawValue);
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
