import { Skeleton } from "@mantine/core";
import { say } from "../words";

export function Busy({ rows = 4 }: { rows?: number }) {
  return (
    <div role="status" aria-label={say.loading}>
      {Array.from({ length: rows }, (_, place) => `row ${place}`).map((one) => (
        <Skeleton key={one} height={52} mb="sm" />
      ))}
    </div>
  );
}
